//! The report as one JSON object (docs/crashes.md). Every field is always
//! there; `null` is unknown.

use std::collections::BTreeMap;

use serde::Serialize;

use super::words;
use crate::{
    model::{Crash, CrashReport, ReportedCrash},
    render::summary_json::{GapObject, gap, utc},
};

/// Version of the JSON.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    v: u32,
    version: &'a str,
    host: &'a str,
    time: String,
    store: &'a str,
    from: Option<String>,
    until: Option<String>,
    is_complete: Option<bool>,
    watched: Vec<WatchedObject>,
    gaps: Vec<GapObject<'a>>,
    personas: Vec<PersonaObject<'a>>,
    crashes: Vec<CrashObject<'a>>,
    recommendations: Vec<AdviceObject<'a>>,
}

#[derive(Serialize)]
struct WatchedObject {
    from: String,
    until: String,
    ended_orderly: bool,
}

#[derive(Serialize)]
struct PersonaObject<'a> {
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    crashes: u64,
    kinds: BTreeMap<&'static str, u64>,
    last: String,
    last_id: i64,
}

#[derive(Serialize)]
struct CrashObject<'a> {
    id: i64,
    time: String,
    ending_text: Option<String>,
    #[serde(flatten)]
    crash: &'a Crash,
}

#[derive(Serialize)]
struct AdviceObject<'a> {
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    text: &'a str,
}

/// Writes one object on one line.
pub fn write_json(out: &mut Vec<u8>, report: &CrashReport) {
    let object = Report {
        v: FORMAT,
        version: &report.version,
        host: &report.host,
        time: utc(report.now),
        store: &report.store,
        from: report.range.map(|range| utc(range.from)),
        until: report.range.map(|range| utc(range.until)),
        is_complete: report.range.map(|_| report.gaps.is_empty()),
        watched: report
            .watched
            .iter()
            .map(|run| WatchedObject {
                from: utc(run.from),
                until: utc(run.until),
                ended_orderly: run.ended_orderly,
            })
            .collect(),
        gaps: report.gaps.iter().map(gap).collect(),
        personas: report
            .by_persona()
            .into_iter()
            .map(|of| PersonaObject {
                persona: of.persona,
                genome_id: of.genome_id,
                crashes: of.count,
                kinds: of.by_kind.iter().map(|(kind, count)| (kind.name(), *count)).collect(),
                last: utc(of.last.crash.wall_time),
                last_id: of.last.id,
            })
            .collect(),
        crashes: report.crashes.iter().map(crash).collect(),
        recommendations: report
            .advice
            .iter()
            .map(|advice| AdviceObject {
                persona: advice.persona.as_deref(),
                genome_id: advice.genome_id.as_deref(),
                text: &advice.text,
            })
            .collect(),
    };
    // Neither a Vec nor these types can fail.
    let _ = serde_json::to_writer(&mut *out, &object);
    out.push(b'\n');
}

fn crash(reported: &ReportedCrash) -> CrashObject<'_> {
    CrashObject {
        id: reported.id,
        time: utc(reported.crash.wall_time),
        ending_text: reported.crash.ending.map(words::ending),
        crash: &reported.crash,
    }
}
