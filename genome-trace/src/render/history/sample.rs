//! Reports to render in tests.

use crate::model::{
    Course, Gap, GapReason, HistoryReport, Metric, Persona, Point, SampleSource, SampleSpan,
    Series, Summary, TimeRange, Trend, WallTime,
};

const HOUR: i64 = 3_600_000_000_000;
/// 2026-11-20T00:00:00Z.
const FROM: WallTime = WallTime { unix_ns: 1_795_132_800_000_000_000 };

pub(super) fn range() -> TimeRange {
    TimeRange { from: FROM, until: WallTime { unix_ns: FROM.unix_ns + 24 * HOUR } }
}

/// A line in so many steps, of which some are missing; each has a sample a
/// second.
pub(in crate::render) fn course_of(
    (persona, metric): (Option<&Persona>, Metric),
    level: f64,
    trend: Trend,
    range: TimeRange,
    (steps, missing): (u32, std::ops::Range<u32>),
) -> Course {
    let length_ns = (range.until.unix_ns - range.from.unix_ns).unsigned_abs();
    let step_ns = length_ns / u64::from(steps);
    let count = step_ns / 1_000_000_000;
    let value = |step: u32| level * (1.0 + (f64::from(step) / 8.0).sin() / 3.0);
    let known = u64::from(steps) - missing.len() as u64;
    let points = (0..steps).map(|step| {
        (!missing.contains(&step)).then(|| Point {
            count,
            min: value(step) * 0.9,
            average: value(step),
            max: value(step) * 1.1,
        })
    });
    Course {
        series: Series {
            source: SampleSource { persona: persona.cloned(), key: None },
            metric,
            range,
            step_ns,
            points: points.collect(),
        },
        summary: Summary {
            count: known * count,
            min: level * 0.6,
            average: level,
            p95: level * 1.3,
            max: level * 1.5,
            last: level * 0.9,
        },
        trend,
    }
}

fn course(persona: Option<&Persona>, metric: Metric, level: f64, trend: Trend) -> Course {
    course_of((persona, metric), level, trend, range(), (144, 40..52))
}

/// The machine and two personas, with half of what there is.
pub(super) fn day() -> HistoryReport {
    let expert = Persona { name: "CodeExpert".to_owned(), genome_id: Some("a3f9".to_owned()) };
    let judge = Persona { name: "Ju\u{1b}[31mdge".to_owned(), genome_id: None };
    let gap = Gap {
        from: WallTime { unix_ns: FROM.unix_ns + 400 * HOUR / 60 },
        until: WallTime { unix_ns: FROM.unix_ns + 520 * HOUR / 60 },
        reason: GapReason::NotRunning,
        missing: None,
        note: None,
    };
    let lost = Gap {
        reason: GapReason::Lost,
        missing: Some([("sample".to_owned(), 2)].into()),
        note: Some("a note".to_owned()),
        ..gap.clone()
    };
    HistoryReport {
        version: "0.1.0".to_owned(),
        host: "host".to_owned(),
        now: range().until,
        store: "/var/lib/genome-trace/store.db".to_owned(),
        range: range(),
        span: SampleSpan::Minute,
        step_ns: 600_000_000_000,
        courses: vec![
            course(None, Metric::RssBytes, 24e9, Trend::Rising(120e6)),
            course(None, Metric::CpuPercent, 640.0, Trend::Stable),
            course(None, Metric::SpawnsPerSecond, 3.0, Trend::Falling(-0.2)),
            course(Some(&expert), Metric::RssBytes, 3e9, Trend::Stable),
            course(Some(&expert), Metric::WrittenBytesPerSecond, 5e6, Trend::Unknown),
            course(Some(&judge), Metric::Threads, 17.0, Trend::Stable),
        ],
        gaps: vec![gap, lost],
    }
}

/// Nothing is missing.
pub(super) fn whole() -> HistoryReport {
    HistoryReport { gaps: Vec::new(), ..day() }
}

/// A line of each metric, for the list of metrics.
pub(super) fn every_metric() -> HistoryReport {
    let courses = Metric::ALL.map(|metric| course(None, metric, 1.0, Trend::Stable));
    HistoryReport { courses: courses.into(), ..whole() }
}
