//! The report as it looks.

use jiff::tz::TimeZone;

use super::{
    sample::{everything, nothing},
    *,
};
use crate::{
    model::PredictReport,
    render::{line::LineStyle, text::columns},
};

fn shown(report: &PredictReport, width: usize) -> String {
    let style = LineStyle { color: false, width: Some(width), time_zone: TimeZone::UTC };
    let mut out = Vec::new();
    write_text(&mut out, report, &style);
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn json(report: &PredictReport) -> String {
    let mut out = Vec::new();
    write_json(&mut out, report);
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn metrics(report: &PredictReport) -> String {
    let mut out = Vec::new();
    write_metrics(&mut out, report);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn everything_at_80_columns() {
    let text = shown(&everything(), 80);
    assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn everything_at_160_columns() {
    insta::assert_snapshot!(shown(&everything(), 160));
}

#[test]
fn nothing_runs_out() {
    insta::assert_snapshot!(shown(&nothing(), 100));
}

#[test]
fn everything_as_csv() {
    let mut out = Vec::new();
    write_csv(&mut out, &everything());
    insta::assert_snapshot!(String::from_utf8_lossy(&out));
}

#[test]
fn everything_as_metrics() {
    insta::assert_snapshot!(metrics(&everything()));
}
