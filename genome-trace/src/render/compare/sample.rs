//! Reports to render in tests.

use crate::model::{
    Change, CompareReport, Comparison, Difference, Gap, GapReason, Metric, SampleSpan, Summary,
    TimeRange, WallTime,
};

const HOUR: i64 = 3_600_000_000_000;

fn hours(from: i64, until: i64) -> TimeRange {
    // From 2026-11-20T00:00:00Z on.
    let at = |hour: i64| WallTime { unix_ns: 1_795_132_800_000_000_000 + hour * HOUR };
    TimeRange { from: at(from), until: at(until) }
}

fn summary(level: f64) -> Summary {
    Summary {
        count: 36_000,
        min: level * 0.5,
        average: level,
        p95: level * 1.2,
        max: level * 2.0,
        last: level,
    }
}

fn comparison(
    persona: Option<&str>,
    metric: Metric,
    now: Option<f64>,
    then: Option<f64>,
    change: Change,
) -> Comparison {
    Comparison {
        persona: persona.map(str::to_owned),
        metric,
        now: now.map(summary),
        then: then.map(summary),
        percent: now.zip(then).map(|(now, then)| (now - then) / then * 100.0),
        change,
    }
}

/// One of everything.
pub(super) fn everything() -> CompareReport {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let persona = "CodeExpert".to_owned();
    let expert = Some("CodeExpert");
    CompareReport {
        version: "0.1.0".to_owned(),
        host: "host".to_owned(),
        asked: hours(34, 34).from,
        store: "/var/lib/genome-trace/store.db".to_owned(),
        now: hours(24, 34),
        then: hours(0, 10),
        span: SampleSpan::Minute,
        comparisons: vec![
            comparison(None, Metric::RssBytes, Some(30e9), Some(24e9), Change::Worse),
            comparison(None, Metric::CpuPercent, Some(640.0), Some(650.0), Change::Unchanged),
            comparison(
                expert,
                Metric::WrittenBytesPerSecond,
                Some(1e6),
                Some(5e6),
                Change::Improved,
            ),
            comparison(expert, Metric::Threads, None, Some(17.0), Change::Unknown),
            comparison(Some("Ju\u{1b}[31mdge"), Metric::Threads, Some(17.0), None, Change::Unknown),
        ],
        differences: vec![
            Difference::NewPersona("Ju\u{1b}[31mdge".to_owned()),
            Difference::GonePersona("Poet".to_owned()),
            Difference::GenomeIds {
                persona: persona.clone(),
                now: texts(&["b7e1"]),
                then: texts(&["a3f9"]),
            },
            Difference::Executables {
                persona,
                now: texts(&["/usr/bin/python3.12"]),
                then: texts(&["/a", "/b", "/c", "/d", "/e", "/f", "/usr/bin/python3.11"]),
            },
            Difference::MemoryLimits { persona: None, now: vec![2 << 30], then: Vec::new() },
        ],
        gaps: vec![
            Gap {
                from: hours(2, 3).from,
                until: hours(2, 3).until,
                reason: GapReason::NotRunning,
                missing: None,
                note: None,
            },
            Gap {
                from: hours(5, 6).from,
                until: hours(5, 6).until,
                reason: GapReason::Lost,
                missing: Some([("exec".to_owned(), 3)].into()),
                note: Some("a note".to_owned()),
            },
        ],
    }
}

/// Nothing changed.
pub(super) fn nothing() -> CompareReport {
    let mut report = everything();
    report.comparisons.truncate(2);
    report.differences.clear();
    report.gaps.clear();
    report
}
