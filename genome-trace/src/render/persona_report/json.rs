//! The report as one JSON object (docs/stats.md). Every field is always there;
//! `null` is unknown.

use std::borrow::Cow;

use serde::Serialize;

use crate::{
    model::{
        Figures, ModelFile, NotableEvent, PersonaHour, PersonaReport, ProcessUsage, ReportedCrash,
    },
    render::{
        history::{SeriesObject, series},
        overview::{AdviceObject, ReasonObject, advice, reason},
        summary_json::{GapObject, gap, utc},
    },
};

/// Version of the JSON.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    v: u32,
    version: &'a str,
    host: &'a str,
    time: String,
    persona: &'a str,
    genome_id: Option<&'a str>,
    status: Option<&'static str>,
    score: Option<u8>,
    light: Option<&'static str>,
    reasons: Option<Vec<ReasonObject<'a>>>,
    usage_unknown_because: Option<&'a str>,
    interval_ns: Option<u64>,
    crashes_last_hour: Option<u64>,
    usage: Option<UsageObject<'a>>,
    model_files: Vec<ModelFileObject<'a>>,
    closed_processes: u64,
    hour_unknown_because: Option<&'a str>,
    hour: Option<HourObject<'a>>,
    recommendations: Vec<AdviceObject<'a>>,
}

#[derive(Serialize)]
struct UsageObject<'a> {
    #[serde(flatten)]
    figures: Figures,
    rss_limit_bytes: Option<u64>,
    started: Option<String>,
    tree: Vec<ProcessObject<'a>>,
}

#[derive(Serialize)]
struct ProcessObject<'a> {
    tgid: u32,
    ppid: Option<u32>,
    comm: Option<&'a str>,
    uid: Option<u32>,
    started: Option<String>,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Serialize)]
struct ModelFileObject<'a> {
    path: Cow<'a, str>,
    kind: &'static str,
    size_bytes: Option<u64>,
    is_mapped: bool,
    is_open: bool,
}

#[derive(Serialize)]
struct HourObject<'a> {
    store: &'a str,
    from: String,
    until: String,
    read_by: &'static str,
    step_ns: u64,
    is_complete: bool,
    gaps: Vec<GapObject<'a>>,
    series: Vec<SeriesObject<'a>>,
    crashes: Vec<CrashObject<'a>>,
    events: Vec<EventObject<'a>>,
}

#[derive(Serialize)]
struct CrashObject<'a> {
    id: i64,
    time: String,
    kind: &'static str,
    tgid: u32,
    comm: Option<&'a str>,
    reason: &'a str,
}

#[derive(Serialize)]
struct EventObject<'a> {
    time: String,
    kind: &'static str,
    tgid: Option<u32>,
    text: &'a str,
}

/// Writes one object on one line.
pub fn write_json(out: &mut Vec<u8>, report: &PersonaReport) {
    let health = report.health.as_ref();
    let object = Report {
        v: FORMAT,
        version: &report.version,
        host: &report.host,
        time: utc(report.now),
        persona: &report.persona.name,
        genome_id: report.persona.genome_id.as_deref(),
        status: health.map(|health| health.state().word()),
        score: health.map(|health| health.score().points),
        light: health.map(|health| health.score().light.name()),
        reasons: health
            .map(|health| health.reasons.iter().map(|of| reason(of, report.now)).collect()),
        usage_unknown_because: report.unknown_because.as_deref(),
        interval_ns: report.interval_ns,
        crashes_last_hour: report.crash_count,
        usage: report.usage.as_ref().map(|usage| UsageObject {
            figures: usage.figures,
            rss_limit_bytes: usage.rss_limit_bytes,
            started: usage.started.map(utc),
            tree: usage.processes.iter().map(process).collect(),
        }),
        model_files: report.model_files.iter().map(model_file).collect(),
        closed_processes: report.closed_processes,
        hour_unknown_because: report.hour.as_ref().err().map(String::as_str),
        hour: report.hour.as_ref().ok().map(hour),
        recommendations: report.advice.iter().map(advice).collect(),
    };
    // Neither a Vec nor these types can fail.
    let _ = serde_json::to_writer(&mut *out, &object);
    out.push(b'\n');
}

fn process(usage: &ProcessUsage) -> ProcessObject<'_> {
    ProcessObject {
        tgid: usage.key.tgid,
        ppid: usage.ppid,
        comm: usage.comm.as_deref(),
        uid: usage.uid,
        started: usage.started.map(utc),
        figures: usage.figures,
    }
}

fn model_file(file: &ModelFile) -> ModelFileObject<'_> {
    ModelFileObject {
        path: String::from_utf8_lossy(&file.path),
        kind: file.kind.name(),
        size_bytes: file.size_bytes,
        is_mapped: file.is_mapped,
        is_open: file.is_open,
    }
}

fn hour(hour: &PersonaHour) -> HourObject<'_> {
    HourObject {
        store: &hour.store,
        from: utc(hour.range.from),
        until: utc(hour.range.until),
        read_by: hour.span.name(),
        step_ns: hour.step_ns,
        is_complete: hour.gaps.is_empty(),
        gaps: hour.gaps.iter().map(gap).collect(),
        series: hour.courses.iter().map(series).collect(),
        crashes: hour.crashes.iter().map(crash).collect(),
        events: hour.events.iter().map(event).collect(),
    }
}

fn crash(reported: &ReportedCrash) -> CrashObject<'_> {
    CrashObject {
        id: reported.id,
        time: utc(reported.crash.wall_time),
        kind: reported.crash.kind.name(),
        tgid: reported.crash.key.tgid,
        comm: reported.crash.comm.as_deref(),
        reason: &reported.crash.reason,
    }
}

fn event(event: &NotableEvent) -> EventObject<'_> {
    EventObject {
        time: utc(event.wall_time),
        kind: event.kind.name(),
        tgid: event.tgid,
        text: &event.text,
    }
}
