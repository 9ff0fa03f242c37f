//! The report as it looks, in every format.

use proptest::prelude::*;

use super::{
    sample::{bare, known, of_the_unknown, unknown},
    *,
};
use crate::{
    model::{Metric, Overview, SortKey},
    render::{line::LineStyle, text::columns},
};

pub(super) fn text(overview: &Overview, width: Option<usize>, color: bool) -> String {
    let style = LineStyle { color, width, time_zone: jiff::tz::TimeZone::UTC };
    let mut out = Vec::new();
    write_text(&mut out, overview, &style);
    String::from_utf8(out).unwrap()
}

pub(super) fn json(overview: &Overview) -> String {
    let mut out = Vec::new();
    write_json(&mut out, overview);
    String::from_utf8(out).unwrap()
}

pub(super) fn metrics(overview: &Overview) -> String {
    let mut out = Vec::new();
    write_metrics(&mut out, overview);
    String::from_utf8(out).unwrap()
}

#[test]
fn everything_at_three_widths() {
    for width in [80, 120, 200] {
        insta::assert_snapshot!(
            format!("everything_at_{width}_columns"),
            text(&known(), Some(width), false)
        );
    }
}

#[test]
fn a_pipe_gets_all_columns() {
    let said = text(&known(), None, false);
    let heading = said.lines().find(|line| line.starts_with("GENOME ID")).unwrap();
    for title in ["LIMIT", "WRITES/S", "CREATED/MIN", "THREADS", "OPEN FILES", "CRASHES", "AGE"] {
        assert!(heading.contains(title), "no {title}: {heading}");
    }
}

#[test]
fn little_and_nothing() {
    let all = [bare(), unknown()].map(|overview| text(&overview, Some(80), false));
    insta::assert_snapshot!(all.join("\n========\n"));
}

#[test]
fn the_order_is_what_was_asked_for() {
    let mut overview = known();
    let first = |overview: &Overview| {
        let said = text(overview, Some(80), false);
        let mut lines = said.lines().skip_while(|line| !line.starts_with("Personas, by"));
        (lines.next().unwrap().to_owned(), lines.nth(1).unwrap().contains("CodeExpert"))
    };
    assert_eq!(first(&overview), ("Personas, by rss_bytes".to_owned(), true));
    overview.sort = SortKey::Metric(Metric::Processes);
    assert_eq!(first(&overview), ("Personas, by processes".to_owned(), true));
    overview.sort = SortKey::Name;
    if let Ok(active) = &mut overview.active {
        active.usage.personas.reverse();
    }
    assert_eq!(first(&overview), ("Personas, by name".to_owned(), true));
}

#[test]
fn colour_is_for_the_status_and_nothing_is_missing_without() {
    let plain = text(&known(), Some(100), false);
    assert!(!plain.contains('\u{1b}'));
    assert!(text(&known(), Some(100), true).contains("\u{1b}[1m\u{1b}[31mStatus: CRITICAL"));
}

#[test]
fn a_line_of_csv_for_each_persona() {
    let mut out = Vec::new();
    let overview = known();
    write_csv(&mut out, overview.active.as_ref().unwrap(), overview.sort);
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn the_metrics_name_no_series_twice() {
    let text = metrics(&known());
    insta::assert_snapshot!(text);
    let mut families: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let all = families.len();
    families.sort_unstable();
    families.dedup();
    assert_eq!(families.len(), all);
}

#[test]
fn the_json_of_a_machine_that_tells_nothing() {
    insta::assert_snapshot!(json(&unknown()));
}

proptest! {
    /// No line is wider than the terminal, down to what is laid out for.
    #[test]
    fn lines_fit(width in 0_usize..220) {
        for overview in [known(), bare(), unknown(), of_the_unknown()] {
            for line in text(&overview, Some(width), false).lines() {
                prop_assert!(columns(line) <= width.max(24), "{width}: {line}");
            }
        }
    }
}
