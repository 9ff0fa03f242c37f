//! The report as it looks.

use jiff::tz::TimeZone;

use super::{
    sample::{everything, nothing},
    *,
};
use crate::{
    model::CompareReport,
    render::{line::LineStyle, text::columns},
};

fn shown(report: &CompareReport, width: usize) -> String {
    let style = LineStyle { color: false, width: Some(width), time_zone: TimeZone::UTC };
    let mut out = Vec::new();
    write_text(&mut out, report, &style);
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn json(report: &CompareReport) -> String {
    let mut out = Vec::new();
    write_json(&mut out, report);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn everything_at_80_columns() {
    insta::assert_snapshot!(shown(&everything(), 80));
}

#[test]
fn everything_at_120_columns() {
    insta::assert_snapshot!(shown(&everything(), 120));
}

#[test]
fn nothing_changed() {
    insta::assert_snapshot!(shown(&nothing(), 100));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in 40..=250 {
        let text = shown(&everything(), width);
        assert!(text.lines().map(columns).max() <= Some(width), "{width}: {text}");
    }
}

#[test]
fn a_line_of_csv_for_each_figure() {
    let mut out = Vec::new();
    write_csv(&mut out, &everything());
    insta::assert_snapshot!(String::from_utf8_lossy(&out));
}
