//! The report as it looks.

use jiff::tz::TimeZone;

use super::{
    sample::{day, whole},
    *,
};
use crate::{
    model::HistoryReport,
    render::{chart::Glyphs, line::LineStyle, text::columns},
};

fn shown(report: &HistoryReport, width: usize, look: Look) -> String {
    let style = LineStyle { color: false, width: Some(width), time_zone: TimeZone::UTC };
    let mut out = Vec::new();
    write_text(&mut out, report, look, &style);
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn json(report: &HistoryReport) -> String {
    let mut out = Vec::new();
    write_json(&mut out, report);
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn metrics(report: &HistoryReport) -> String {
    let mut out = Vec::new();
    write_metrics(&mut out, report);
    String::from_utf8_lossy(&out).into_owned()
}

const UNICODE: Look = Look { all_charts: false, glyphs: Glyphs::Unicode };
const ASCII: Look = Look { all_charts: true, glyphs: Glyphs::Ascii };

#[test]
fn a_day_at_80_columns() {
    insta::assert_snapshot!(shown(&day(), 80, UNICODE));
}

#[test]
fn a_day_at_120_columns() {
    insta::assert_snapshot!(shown(&whole(), 120, UNICODE));
}

#[test]
fn every_chart_in_ascii() {
    let text = shown(&whole(), 80, ASCII);
    assert!(text.is_ascii());
    insta::assert_snapshot!(text);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in 40..=250 {
        for look in [UNICODE, ASCII] {
            let text = shown(&day(), width, look);
            let widest = text.lines().map(columns).max();
            assert!(widest <= Some(width), "{width}: {text}");
        }
    }
}

#[test]
fn a_line_of_csv_for_each_step() {
    let mut out = Vec::new();
    write_csv(&mut out, &day());
    let text = String::from_utf8_lossy(&out);
    assert_eq!(text.lines().count(), 1 + 6 * 144);
    let gap = "2026-11-20T06:40:00.000000000Z,,,rss_bytes,,,,";
    assert!(text.lines().any(|line| line == gap), "{text}");
}

#[test]
fn metrics_look_like_this() {
    insta::assert_snapshot!(metrics(&day()));
}
