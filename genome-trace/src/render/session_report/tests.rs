//! Reports of scripted sessions.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::model::{CrashKind, Figures, ProcessKey, SessionRow};

const MIB: f64 = 1_048_576.0;
const BEGIN_NS: i64 = 1_795_600_000_000_000_000;

fn at(second: i64) -> WallTime {
    WallTime { unix_ns: BEGIN_NS + second * 1_000_000_000 }
}

fn persona() -> Persona {
    Persona { name: "Code|Expert".to_owned(), genome_id: Some("a3f9".to_owned()) }
}

fn figures(mib: f64) -> Figures {
    let mut figures = Figures::default();
    figures.set(Metric::RssBytes, Some(mib * MIB));
    figures.set(Metric::CpuPercent, Some(mib / 2.0));
    figures
}

fn session() -> Session {
    let row = |second, whose: Option<Persona>, mib| SessionRow {
        wall_time: at(second),
        phase: "idle".to_owned(),
        persona: whose,
        figures: figures(mib),
        memory_limit_bytes: None,
        lost_events: None,
    };
    Session {
        id: "20261125T131320Z-a3f9".to_owned(),
        rows: vec![
            row(0, None, 900.0),
            row(0, Some(persona()), 100.0),
            row(1, None, 900.0),
            row(1, Some(persona()), 110.0),
            // It is gone for a look.
            row(2, None, 800.0),
            row(3, None, 900.0),
            row(3, Some(persona()), 250.0),
        ],
        gpus: Vec::new(),
        unreadable: 2,
    }
}

fn stretch(name: &str, from: i64, until: i64) -> PhaseStretch {
    PhaseStretch { name: name.to_owned(), from: at(from), until: at(until), looks: 2 }
}

fn summary() -> SessionSummary {
    let more = Released {
        persona: persona(),
        metric: Metric::RssBytes,
        from: 0,
        to: 1,
        before: 110.0 * MIB,
        after: 250.0 * MIB,
    };
    let extents = |average: f64, peak: f64| {
        Metric::ALL
            .map(|metric| {
                let is_known = metric == Metric::RssBytes;
                let extent = Extent { average: average * MIB, peak: peak * MIB };
                (metric, is_known.then_some(extent))
            })
            .to_vec()
    };
    SessionSummary {
        stretches: vec![stretch("idle", 0, 1), stretch("idle", 2, 3)],
        usage: vec![
            StretchUsage { stretch: 0, persona: Some(persona()), extents: extents(105.0, 110.0) },
            StretchUsage { stretch: 0, persona: None, extents: extents(900.0, 900.0) },
        ],
        released: vec![more.clone()],
        findings: vec![
            Finding::NearLimit {
                persona: persona(),
                at: at(3),
                phase: "idle".to_owned(),
                rss_bytes: 250.0 * MIB,
                limit_bytes: 256.0 * MIB,
            },
            Finding::GpuNearFull {
                gpu: 1,
                at: at(2),
                used_bytes: 97.0 * MIB,
                total_bytes: 100.0 * MIB,
            },
            Finding::HeldMore(more),
            Finding::Lost { events: 7 },
            Finding::Gap { from: at(1), until: at(2) },
        ],
        interval_ns: Some(1_000_000_000),
    }
}

fn crash() -> Crash {
    let key = ProcessKey { tgid: 7, start_time: 1 };
    let reason = "its memory cgroup <b>\u{1b}[31m".to_owned();
    Crash { persona: Some("x".to_owned()), ..Crash::new(at(2), 1, key, CrashKind::Oom, reason) }
}

#[test]
fn a_whole_report() {
    let (session, summary) = (session(), summary());
    let crashes = Ok(Crashes { crashes: vec![crash()], is_complete: false });
    let report = SessionReport { session: &session, summary: &summary, crashes };
    let charts = charts(&session, &summary);
    insta::assert_snapshot!(markdown(&report, &charts));
}

#[test]
fn nothing_is_said_of_what_is_not_known() {
    let session = Session { unreadable: 0, ..session() };
    let summary = SessionSummary { findings: Vec::new(), released: Vec::new(), ..summary() };
    let crashes = Err("there is no store".to_owned());
    let text = markdown(&SessionReport { session: &session, summary: &summary, crashes }, &[]);
    assert!(text.contains("Nothing stands out of what was measured."), "{text}");
    assert!(text.contains("Unknown: there is no store."), "{text}");
    assert!(!text.contains("## Charts") && !text.contains("Memory between"), "{text}");
}

#[test]
fn there_are_charts_of_what_is_known_and_a_missing_look_is_a_gap() {
    let charts = charts(&session(), &SessionSummary { findings: Vec::new(), ..summary() });
    let names: Vec<_> = charts.iter().map(|of| of.name.as_str()).collect();
    assert_eq!(names, ["memory.svg", "cpu.svg"]);
    let svg = &charts[0].svg;
    assert_eq!((svg.matches("<polyline").count(), svg.matches("<circle").count()), (1, 1), "{svg}");
    insta::assert_snapshot!(svg);
}

#[test]
fn a_session_without_a_look_says_so() {
    let session = Session { id: "x".to_owned(), ..Session::default() };
    let summary = SessionSummary {
        stretches: Vec::new(),
        usage: Vec::new(),
        released: Vec::new(),
        findings: Vec::new(),
        interval_ns: None,
    };
    let crashes = Ok(Crashes::default());
    let text = markdown(&SessionReport { session: &session, summary: &summary, crashes }, &[]);
    assert_eq!(text, "# Session x\n\nIt has no look.\n");
}
