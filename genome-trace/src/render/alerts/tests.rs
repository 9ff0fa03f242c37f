//! The report as it looks, after nights of many sorts.
#![allow(clippy::unwrap_used)]

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{
    sample::{none, open, several, with_gaps},
    *,
};
use crate::{
    model::{Alert, AlertReport, AlertState, RecorderRun, Rule, Severity},
    render::{line::LineStyle, sample::TIME, text::columns},
};

fn shown(report: &AlertReport, is_all: bool, width: usize, color: bool) -> String {
    let style = LineStyle { color, width: Some(width), time_zone: TimeZone::UTC };
    let mut out = Vec::new();
    write_text(&mut out, report, is_all, &style);
    String::from_utf8_lossy(&out).into_owned()
}

fn text(report: &AlertReport) -> String {
    shown(report, false, 100, false)
}

pub(super) fn json(report: &AlertReport) -> String {
    let mut out = Vec::new();
    write_json(&mut out, report);
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn metrics(report: &AlertReport) -> String {
    let mut out = Vec::new();
    write_metrics(&mut out, report);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn several_alerts() {
    insta::assert_snapshot!(text(&several()));
}

#[test]
fn alerts_over_a_gap_on_a_narrow_terminal() {
    insta::assert_snapshot!(shown(&with_gaps(several()), false, 60, false));
}

#[test]
fn no_alert() {
    let narrowed = AlertReport {
        personas: vec!["Judge".to_owned(), "Coder".to_owned()],
        rules: vec![Rule::MemoryLeak],
        severity: Some(Severity::Error),
        open: true,
        ..none()
    };
    let unwatched = AlertReport { watched: Vec::new(), ..with_gaps(none()) };
    let all = [&none(), &narrowed, &with_gaps(none()), &unwatched].map(text);
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn the_latest_are_told_in_full_unless_all_are() {
    let alerts: Vec<Alert> = (0..25).map(|id| Alert { id, ended: Some(TIME), ..open() }).collect();
    let report = AlertReport { alerts, ..none() };
    let told = |text: &str| text.matches("critical memory_leak of").count();
    assert_eq!(told(&text(&report)), 10);
    assert!(text(&report).contains("and 15 more: --all"));
    assert_eq!(told(&shown(&report, true, 100, false)), 25);
}

#[test]
fn an_alert_goes_on_only_while_its_recorder_runs() {
    let state =
        |run: RecorderRun, alert: &Alert| AlertReport { watched: vec![run], ..none() }.state(alert);
    let run = none().watched[0];
    assert_eq!(state(run, &open()), AlertState::GoesOn);
    assert_eq!(state(RecorderRun { ended_orderly: true, ..run }, &open()), AlertState::Unknown);
    let silent = RecorderRun { until: sample::before(61), ..run };
    assert_eq!(state(silent, &open()), AlertState::Unknown);
    let of_another = Alert { last: sample::before(50_001), ..open() };
    assert_eq!(state(run, &of_another), AlertState::Unknown);
    assert_eq!(state(run, &Alert { ended: Some(TIME), ..open() }), AlertState::Over);
}

#[test]
fn the_csv() {
    let mut out = Vec::new();
    write_csv(&mut out, &several());
    insta::assert_snapshot!(String::from_utf8_lossy(&out));
}

#[test]
fn the_metrics() {
    insta::assert_snapshot!(metrics(&with_gaps(several())));
}

proptest! {
    /// No line is wider than the terminal, down to what is laid out for, and
    /// nothing from outside moves the cursor.
    #[test]
    fn lines_fit(width in 0_usize..160, is_all: bool, name in any::<String>()) {
        let mut named = several();
        for alert in &mut named.alerts {
            alert.text.clone_from(&name);
            alert.advice = vec![name.clone()];
            if let Some(persona) = &mut alert.anomaly.persona {
                persona.name.clone_from(&name);
            }
        }
        for report in [with_gaps(several()), none(), named] {
            let text = shown(&report, is_all, width, false);
            prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
            for line in text.lines() {
                prop_assert!(columns(line) <= width.max(24), "{width}: {line}");
            }
        }
    }
}
