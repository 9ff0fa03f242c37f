//! The report as it looks, in every format.

use proptest::prelude::*;

use super::{
    sample::{gone, known, unknown},
    *,
};
use crate::{
    model::PersonaReport,
    render::{chart::Glyphs, line::LineStyle, text::columns},
};

fn text(report: &PersonaReport, width: Option<usize>, glyphs: Glyphs) -> String {
    let style = LineStyle { color: false, width, time_zone: jiff::tz::TimeZone::UTC };
    let mut out = Vec::new();
    write_text(&mut out, report, glyphs, &style);
    String::from_utf8(out).unwrap()
}

pub(super) fn json(report: &PersonaReport) -> String {
    let mut out = Vec::new();
    write_json(&mut out, report);
    String::from_utf8(out).unwrap()
}

pub(super) fn metrics(report: &PersonaReport) -> String {
    let mut out = Vec::new();
    write_metrics(&mut out, report);
    String::from_utf8(out).unwrap()
}

#[test]
fn everything_at_three_widths() {
    for width in [80, 120, 200] {
        insta::assert_snapshot!(
            format!("everything_at_{width}_columns"),
            text(&known(), Some(width), Glyphs::Unicode)
        );
    }
}

#[test]
fn in_ascii() {
    let said = text(&known(), Some(80), Glyphs::Ascii);
    let charts = said.lines().skip_while(|line| !line.starts_with("RSS: "));
    let charts: Vec<_> = charts.take(12).collect();
    insta::assert_snapshot!(charts.join("\n"));
}

#[test]
fn little_and_nothing() {
    let all = [unknown(), gone()].map(|report| text(&report, Some(80), Glyphs::Unicode));
    insta::assert_snapshot!(all.join("\n========\n"));
}

#[test]
fn a_line_of_csv_for_each_process() {
    let mut out = Vec::new();
    write_csv(&mut out, &known());
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn the_metrics() {
    insta::assert_snapshot!(metrics(&known()));
}

#[test]
fn the_json_of_one_that_is_gone() {
    insta::assert_snapshot!(json(&gone()));
}

proptest! {
    /// No line is wider than the terminal, down to what is laid out for: charts
    /// are cut where they are wider.
    #[test]
    fn lines_fit(width in 0_usize..220) {
        for report in [known(), unknown(), gone()] {
            for line in text(&report, Some(width), Glyphs::Unicode).lines() {
                prop_assert!(columns(line) <= width.max(24), "{width}: {line}");
            }
        }
    }
}
