//! The report as it looks, after nights of many sorts.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{
    sample::{
        bare, hollow, none, none_with_gaps, one, several, several_with_gaps, unwatched, whole,
    },
    *,
};
use crate::{
    model::{CrashKind, CrashReport},
    render::{line::LineStyle, text::columns},
};

fn shown(report: &CrashReport, is_all: bool, width: usize, color: bool) -> String {
    let style = LineStyle { color, width: Some(width), time_zone: TimeZone::UTC };
    let mut out = Vec::new();
    write_text(&mut out, report, is_all, &style);
    String::from_utf8_lossy(&out).into_owned()
}

fn text(report: &CrashReport) -> String {
    shown(report, false, 100, false)
}

pub(super) fn json(report: &CrashReport) -> String {
    let mut out = Vec::new();
    write_json(&mut out, report);
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn csv(report: &CrashReport) -> String {
    let mut out = Vec::new();
    write_csv(&mut out, report);
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn metrics(report: &CrashReport) -> String {
    let mut out = Vec::new();
    write_metrics(&mut out, report);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn several_personas() {
    insta::assert_snapshot!(text(&several()));
}

#[test]
fn each_crash() {
    insta::assert_snapshot!(shown(&several(), true, 100, false));
}

#[test]
fn crashes_over_a_gap() {
    insta::assert_snapshot!(text(&several_with_gaps()));
}

#[test]
fn no_crash() {
    let narrowed = CrashReport {
        personas: vec!["Judge".to_owned(), "Coder".to_owned()],
        kinds: vec![CrashKind::Oom],
        ..none()
    };
    insta::assert_snapshot!([text(&none()), text(&narrowed)].join("\n"));
}

#[test]
fn no_crash_with_gaps() {
    insta::assert_snapshot!(text(&none_with_gaps()));
}

#[test]
fn nobody_watched() {
    insta::assert_snapshot!(text(&unwatched()));
}

#[test]
fn one_whole() {
    insta::assert_snapshot!(text(&one(whole())));
}

#[test]
fn one_of_which_little_is_known() {
    insta::assert_snapshot!([text(&one(bare())), text(&one(hollow()))].join("\n"));
}

#[test]
fn on_a_narrow_terminal() {
    insta::assert_snapshot!(shown(&several_with_gaps(), false, 60, false));
}

#[test]
fn the_json() {
    let value: serde_json::Value = serde_json::from_str(&json(&several_with_gaps())).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn the_csv() {
    insta::assert_snapshot!(csv(&several()));
}

#[test]
fn the_metrics() {
    insta::assert_snapshot!(metrics(&several_with_gaps()));
}

#[test]
fn what_would_end_a_cell_is_quoted() {
    let mut report = one(bare());
    for reported in &mut report.crashes {
        reported.crash.reason = "a \"b\", c\nd".to_owned();
    }
    assert!(csv(&report).contains(",\"a \"\"b\"\", c\nd\","), "{}", csv(&report));
}

proptest! {
    /// No line is wider than the terminal, down to what is laid out for, and
    /// nothing from outside moves the cursor.
    #[test]
    fn lines_fit(width in 0_usize..160, is_all: bool, name in any::<String>()) {
        let mut named = one(whole());
        for reported in &mut named.crashes {
            reported.crash.persona = Some(name.clone());
            reported.crash.reason.clone_from(&name);
            reported.crash.stack = Some(vec![name.clone()]);
            reported.crash.stderr_tail = Some(name.clone());
        }
        for report in [several_with_gaps(), none_with_gaps(), none(), one(hollow()), named] {
            let text = shown(&report, is_all, width, false);
            prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
            for line in text.lines() {
                prop_assert!(columns(line) <= width.max(24), "{width}: {line}");
            }
        }
    }
}
