//! From a file's creation, or a process' end, to the line that says so.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Ground;
use super::idle::attached;
use super::startup::endless_processes;
use crate::deadline::Deadline;
use crate::lines::{Line, Lines};
use crate::stats::percentile;
use crate::subject::genome_trace::follow;
use crate::workload::{Held, Truth};

/// Files, and processes.
const COUNT: u32 = 100;
const INTERVAL_MS: u32 = 15;
/// What the tracer still has to say at the end must be out by then.
const PATIENCE: Duration = Duration::from_secs(60);

/// How late events are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    /// Where nothing else happens.
    pub(crate) quiet: Late,
    /// Where processes come and go on another processor.
    pub(crate) in_storm: Late,
}

/// Milliseconds from the deed to the line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Late {
    /// Events that came.
    pub(crate) events: u64,
    /// Events that did not.
    pub(crate) missing: u64,
    /// Half of them were not later.
    pub(crate) median_ms: f64,
    /// 99 of 100 were not later.
    pub(crate) p99_ms: f64,
    /// None was later.
    pub(crate) max_ms: f64,
}

pub(super) fn measure(ground: Ground<'_>) -> anyhow::Result<Latency> {
    let quiet = late(ground)?;
    let storm = endless_processes(ground)?;
    let in_storm = late(ground)?;
    drop(storm);
    Ok(Latency { quiet, in_storm })
}

fn late(ground: Ground<'_>) -> anyhow::Result<Late> {
    let mut words = ["paced", "--count"].map(OsString::from).to_vec();
    words.extend([COUNT.to_string(), "--interval-ms".to_owned()].map(OsString::from));
    words.extend([INTERVAL_MS.to_string().into(), "--dir".into()]);
    words.push(ground.scratch.path("paced").into_os_string());
    let held = Held::start(ground.workload, &words, &[])?;
    let mut command = follow(ground.tracer, ground.mode);
    let (mut tracer, talk) = attached(command.stdout(Stdio::piped()))?;
    let stdout = Lines::of("genome-trace's stdout", tracer.take_stdout()?)?;
    let truth = held.release()?.finish()?;
    tracer.signal(Signal::INT)?;
    let lines = stdout.rest(&Deadline::after(PATIENCE))?;
    tracer.wait(&Deadline::after(PATIENCE))?;
    drop(talk);
    sum_up(&truth, &lines)
}

fn sum_up(truth: &Truth, lines: &[Line]) -> anyhow::Result<Late> {
    let told = told(truth.tgid()?, lines);
    let (mut late_ms, mut missing) = (Vec::new(), 0);
    for (list, name) in [("created", "path"), ("exited", "pid")] {
        for deed in truth.list(list) {
            let at_ns = deed.get("at_ns").and_then(Value::as_u64).context("a deed has no time")?;
            match deed.get(name).and_then(|name| told.get(&name.to_string())) {
                Some(told_ns) => late_ms.push(told_ns.saturating_sub(at_ns) as f64 / 1e6),
                None => missing += 1,
            }
        }
    }
    ensure!(!late_ms.is_empty(), "measure latency: not one event came");
    let share = |share| percentile(&late_ms, share).unwrap_or(f64::NAN);
    Ok(Late {
        events: late_ms.len() as u64,
        missing,
        median_ms: share(0.5),
        p99_ms: share(0.99),
        max_ms: share(1.0),
    })
}

/// When which path or child was told of, by its JSON text.
fn told(workload: u64, lines: &[Line]) -> BTreeMap<String, u64> {
    let of_line = |line: &Line| {
        let event: Value = serde_json::from_str(&line.text).ok()?;
        let is = |name: &str| event.get(name).and_then(Value::as_u64) == Some(workload);
        let key = match event.get("kind")?.as_str()? {
            "file_create" if is("tgid") => event.pointer("/file_create/path")?.to_string(),
            "exit" if is("ppid") => event.get("tgid")?.to_string(),
            _ => return None,
        };
        Some((key, line.at_ns))
    };
    lines.iter().filter_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeds_meet_their_lines() {
        let truth = Truth::parse(
            r#"{"pid":7,"created":[{"path":"/a","at_ns":1000000},{"path":"/b","at_ns":2000000}],
                "exited":[{"pid":9,"at_ns":1000000}]}"#,
        )
        .unwrap();
        let line = |at_ns, text: &str| Line { at_ns, text: text.to_owned() };
        let lines = [
            line(3_000_000, r#"{"kind":"file_create","tgid":7,"file_create":{"path":"/a"}}"#),
            line(3_000_000, r#"{"kind":"file_create","tgid":8,"file_create":{"path":"/b"}}"#),
            line(5_000_000, r#"{"kind":"exit","tgid":9,"ppid":7,"exit":{}}"#),
        ];
        let late = sum_up(&truth, &lines).unwrap();
        assert_eq!((late.events, late.missing), (2, 1));
        assert_eq!((late.median_ms, late.max_ms), (2.0, 4.0));
    }
}
