//! The report as it looks, with everything known and with nothing.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::model::{ModeCost, ProgramCost, TotalCost, TracerCost};

fn text(text: &str) -> String {
    text.to_owned()
}

/// A kernel that tells everything.
pub(super) fn known() -> Cost {
    let program = |program, hook, target, runs, run_time_ns, skipped, verified| ProgramCost {
        program: text(program),
        hook: text(hook),
        target: text(target),
        runs: Some(runs),
        run_time_ns: Some(run_time_ns),
        skipped_calls: Some(skipped),
        verified_instructions: Some(verified),
    };
    let programs = vec![
        program("vfs_write_exit", "fexit", "vfs_write", 4_109_104, 514_000_000, 0, 85_673),
        program("vfs_write_exit_backup1", "fexit", "vfs_write", 4_109_104, 41_000_000, 0, 85_673),
        program("sched_process_exec", "tp_btf", "sched_process_exec", 14, 93_000, 2, 13_298),
        program("mark_victim", "tp_btf", "mark_victim", 0, 0, 0, 6_359),
    ];
    Cost {
        v: 1,
        version: text("0.1.0"),
        host: text("box"),
        kernel: text("6.12.1"),
        arch: text("x86_64"),
        window_ns: 5_000_100_000,
        ended_early: false,
        unmeasured: None,
        selected_mode: Some(text("fexit")),
        mode_forced: false,
        modes: vec![
            ModeCost {
                mode: text("fexit"),
                usable: true,
                reason: None,
                cost: text("a call at the end of each write"),
            },
            ModeCost {
                mode: text("kprobe"),
                usable: false,
                reason: Some(text("the kernel has no kprobes")),
                cost: text("a trap at both ends of each write"),
            },
        ],
        total: TotalCost::of(&programs),
        programs,
        tracer: TracerCost {
            user_ns: Some(12_000_000),
            system_ns: Some(3_000_000),
            rss_bytes: Some(20 << 20),
            events: 1_234,
            lost: 0,
        },
    }
}

/// A kernel that tells nothing, and a run that Ctrl-C ended.
pub(super) fn unknown() -> Cost {
    let programs = vec![ProgramCost {
        program: text("sys_exit"),
        hook: text("tp_btf"),
        target: text("sys_exit"),
        runs: None,
        run_time_ns: None,
        skipped_calls: None,
        verified_instructions: None,
    }];
    Cost {
        ended_early: true,
        unmeasured: Some(text("the kernel does not measure run times: not permitted")),
        selected_mode: None,
        mode_forced: true,
        total: TotalCost::of(&programs),
        programs,
        tracer: TracerCost { user_ns: None, system_ns: None, rss_bytes: None, events: 0, lost: 7 },
        ..known()
    }
}

fn report(cost: &Cost, color: bool) -> String {
    let mut out = Vec::new();
    write_text(&mut out, cost, color);
    String::from_utf8(out).unwrap()
}

pub(super) fn metrics(cost: &Cost) -> String {
    let mut out = Vec::new();
    write_metrics(&mut out, cost);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_report_for_people() {
    insta::assert_snapshot!(report(&known(), false));
}

#[test]
fn the_report_of_a_kernel_that_tells_nothing() {
    insta::assert_snapshot!(report(&unknown(), false));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let coloured = report(&known(), true);
    assert!(coloured.contains("\u{1b}[1m"), "{coloured}");
    assert_eq!(coloured.replace("\u{1b}[1m", "").replace("\u{1b}[0m", ""), report(&known(), false));
}

#[test]
fn the_metrics() {
    insta::assert_snapshot!(metrics(&known()));
}

#[test]
fn what_is_unknown_has_no_sample() {
    let text = metrics(&unknown());
    let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(samples, ["genome_cost_window_seconds 5.000100000"]);
}

#[test]
fn the_json_is_read_back() {
    let mut out = Vec::new();
    write_json(&mut out, &unknown()).unwrap();
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(value.pointer("/programs/0/runs"), Some(&serde_json::Value::Null));
    assert_eq!(value.pointer("/ended_early"), Some(&true.into()));
}
