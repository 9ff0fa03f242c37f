//! Charts as they look.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::{
    model::{Metric, SampleSource, Series, TimeRange, Unit, WallTime},
    render::text::columns,
};

const HOUR: i64 = 3_600_000_000_000;

fn point(value: f64) -> Point {
    Point { count: 60, min: value * 0.9, average: value, max: value * 1.1 }
}

/// Half an hour is missing.
fn series(metric: Metric, steps: u32, scale: f64) -> Series {
    let value = |step: u32| {
        let part = f64::from(step) / f64::from(steps);
        let is_gap = (0.5..0.6).contains(&part);
        (!is_gap).then(|| point(scale * (1.2 + (part * 9.0).sin() + part)))
    };
    let from = 1_795_174_295_000_000_000 / HOUR * HOUR;
    let length = 5 * HOUR;
    Series {
        source: SampleSource { persona: None, key: None },
        metric,
        range: TimeRange {
            from: WallTime { unix_ns: from },
            until: WallTime { unix_ns: from + length },
        },
        step_ns: length.unsigned_abs() / u64::from(steps),
        points: (0..steps).map(value).collect(),
    }
}

fn shown(series: &Series, width: usize, glyphs: Glyphs, band: bool) -> String {
    let chart = Chart { series, width, height: HEIGHT, glyphs, band, zone: &TimeZone::UTC };
    chart.lines().join("\n")
}

#[test]
fn a_line_at_40_columns() {
    let series = series(Metric::RssBytes, 300, 400e6);
    insta::assert_snapshot!(shown(&series, 40, Glyphs::Unicode, false));
}

#[test]
fn a_line_at_80_columns() {
    let series = series(Metric::CpuPercent, 300, 40.0);
    insta::assert_snapshot!(shown(&series, 80, Glyphs::Unicode, false));
}

#[test]
fn a_line_with_its_band_at_120_columns() {
    let series = series(Metric::WrittenBytesPerSecond, 60, 3e6);
    insta::assert_snapshot!(shown(&series, 120, Glyphs::Unicode, true));
}

#[test]
fn columns_of_ascii_at_80_columns() {
    let series = series(Metric::SpawnsPerSecond, 300, 0.7);
    insta::assert_snapshot!(shown(&series, 80, Glyphs::Ascii, false));
}

#[test]
fn a_week_has_days_and_local_time() {
    let mut series = series(Metric::OpenFiles, 168, 90.0);
    series.range.until.unix_ns = series.range.from.unix_ns + 7 * 24 * HOUR;
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let chart = Chart {
        series: &series,
        width: 100,
        height: 4,
        glyphs: Glyphs::Unicode,
        band: false,
        zone: &zone,
    };
    insta::assert_snapshot!(chart.lines().join("\n"));
}

/// No two of an axis' three labels are the same, however little a figure moves.
#[test]
fn labels_differ() {
    for (metric, values) in [
        (Metric::SpawnsPerSecond, [1.9995, 2.0003]),
        (Metric::CpuPercent, [0.34501, 0.3488]),
        (Metric::CpuPercent, [0.0501, 0.0508]),
        (Metric::RssBytes, [1_073_741_824.0, 1_073_741_900.0]),
    ] {
        let mut series = series(metric, 2, 1.0);
        series.points = values.map(|of| Some(Point { min: of, max: of, ..point(of) })).into();
        let text = shown(&series, 80, Glyphs::Ascii, false);
        let mut labels: Vec<_> = text
            .lines()
            .filter_map(|line| Some(line.split_once(['|'])?.0.trim()))
            .filter(|label| !label.is_empty())
            .collect();
        assert_eq!(labels.len(), 3, "{text}");
        labels.dedup();
        assert_eq!(labels.len(), 3, "{text}");
    }
}

#[test]
fn sparklines() {
    let series = series(Metric::Threads, 100, 10.0);
    let shown = |width, glyphs| sparkline(&series.points, Unit::Count, width, glyphs);
    let lines = [shown(40, Glyphs::Unicode), shown(40, Glyphs::Ascii), shown(10, Glyphs::Unicode)];
    insta::assert_snapshot!(lines.join("|\n"));
    assert_eq!(sparkline(&[], Unit::Count, 5, Glyphs::Unicode), "     ");
}

fn any_points() -> impl Strategy<Value = Vec<Option<Point>>> {
    let value = prop_oneof![any::<f64>(), 0.0_f64..100.0];
    prop::collection::vec(prop::option::of(value.prop_map(point)), 0..600)
}

proptest! {
    #[test]
    fn no_line_is_wider_than_it_may_be(
        points in any_points(), width in 40_usize..=250, from: i64, length in 1_i64..i64::MAX,
        band: bool, is_ascii: bool,
    ) {
        let glyphs = if is_ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        let until = WallTime { unix_ns: from.saturating_add(length) };
        let mut series = series(Metric::CpuPercent, 1, 1.0);
        series.range = TimeRange { from: WallTime { unix_ns: from }, until };
        series.points = points;
        let text = shown(&series, width, glyphs, band);
        prop_assert_eq!(text.lines().count(), HEIGHT + 2);
        for line in text.lines() {
            prop_assert!(columns(line) <= width || width < 60, "{}", line);
        }
        prop_assert!(!is_ascii || text.is_ascii());
    }

    #[test]
    fn a_gap_is_empty(width in 1_usize..300) {
        let mut points = vec![Some(point(1.0)); 300];
        points[100..200].fill(None);
        let line: Vec<char> =
            sparkline(&points, Unit::Count, width, Glyphs::Ascii).chars().collect();
        prop_assert_eq!(line.len(), width);
        prop_assert!(line.iter().filter(|c| **c == ' ').count() <= width / 3 + 1);
        prop_assert!(width < 9 || line[width / 2] == ' ');
    }
}
