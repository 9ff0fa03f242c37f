//! The report as one JSON object (docs/stats.md; the GPUs in docs/gpu.md).
//! Every field is always there; `null` is unknown.

use serde::Serialize;

use crate::{
    model::{
        Active, Advice, Figures, HealthEvidence, HealthReason, MachineUsage, Overview, Persona,
        PersonaUsage, Recent, RecentFigure, WallTime, Warning,
    },
    render::{
        health::ReasonText,
        stats,
        summary_json::{GapObject, SummaryObject, gap, summary, utc},
    },
};

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    gpus: stats::Report<'a>,
    status: Option<&'static str>,
    score: Option<u8>,
    light: Option<&'static str>,
    reasons: Option<Vec<ReasonObject<'a>>>,
    usage_unknown_because: Option<&'a str>,
    interval_ns: Option<u64>,
    machine: Option<MachineObject>,
    sorted_by: &'static str,
    active_personas: Option<Vec<PersonaObject<'a>>>,
    recent_unknown_because: Option<&'a str>,
    recent: Option<RecentObject<'a>>,
    warnings: Vec<WarningObject<'a>>,
    recommendations: Vec<AdviceObject<'a>>,
}

/// A reason why a machine is not healthy.
#[derive(Default, Serialize)]
pub(in crate::render) struct ReasonObject<'a> {
    state: &'static str,
    kind: &'static str,
    points: u8,
    rule: Option<&'static str>,
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    gpu_index: Option<u32>,
    time: Option<String>,
    count: Option<u64>,
    bytes: Option<u64>,
    of_bytes: Option<u64>,
    text: String,
}

#[derive(Serialize)]
struct MachineObject {
    #[serde(flatten)]
    figures: Figures,
    processors: Option<u32>,
    memory_bytes: Option<u64>,
    available_bytes: Option<u64>,
    uptime_ns: Option<u64>,
    tracing_since: Option<String>,
    events: Option<u64>,
    lost_events: Option<u64>,
}

#[derive(Serialize)]
struct PersonaObject<'a> {
    persona: &'a str,
    genome_id: Option<&'a str>,
    score: Option<u8>,
    #[serde(flatten)]
    figures: Figures,
    rss_limit_bytes: Option<u64>,
    crashes_last_hour: Option<u64>,
    started: Option<String>,
}

#[derive(Serialize)]
struct RecentObject<'a> {
    store: &'a str,
    from: String,
    until: String,
    is_complete: bool,
    gaps: Vec<GapObject<'a>>,
    figures: Vec<RecentFigureObject<'a>>,
}

#[derive(Serialize)]
struct RecentFigureObject<'a> {
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    metric: &'static str,
    summary: SummaryObject,
}

#[derive(Serialize)]
struct WarningObject<'a> {
    state: &'static str,
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    text: &'a str,
}

/// What to do.
#[derive(Serialize)]
pub(in crate::render) struct AdviceObject<'a> {
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    text: &'a str,
}

/// Writes one object on one line.
pub fn write_json(out: &mut Vec<u8>, overview: &Overview) {
    let sums = overview.gpus.persona_vram();
    let active = overview.active.as_ref();
    let health = overview.health.as_ref();
    let object = Report {
        gpus: stats::object(&overview.gpus, &sums),
        status: health.map(|health| health.state().word()),
        score: health.map(|health| health.score().points),
        light: health.map(|health| health.score().light.name()),
        reasons: health.map(|health| {
            let now = overview.gpus.wall_time;
            health.reasons.iter().map(|of| reason(of, now)).collect()
        }),
        usage_unknown_because: active.err().map(String::as_str),
        interval_ns: active.ok().and_then(|active| active.usage.interval_ns),
        machine: active.ok().map(|active| machine(&active.usage.machine)),
        sorted_by: overview.sort.name(),
        active_personas: active.ok().map(|active| personas(active, overview)),
        recent_unknown_because: overview.recent.as_ref().err().map(String::as_str),
        recent: overview.recent.as_ref().ok().map(recent),
        warnings: overview.outlook.warnings.iter().map(warning).collect(),
        recommendations: overview.outlook.advice.iter().map(advice).collect(),
    };
    // Neither a Vec nor these types can fail.
    let _ = serde_json::to_writer(&mut *out, &object);
    out.push(b'\n');
}

fn name_and_id(persona: Option<&Persona>) -> (Option<&str>, Option<&str>) {
    let name = persona.map(|persona| persona.name.as_str());
    (name, persona.and_then(|persona| persona.genome_id.as_deref()))
}

pub(in crate::render) fn reason(reason: &HealthReason, now: WallTime) -> ReasonObject<'_> {
    let mut object = ReasonObject {
        state: reason.state.word(),
        points: reason.points(),
        text: ReasonText(reason, now).to_string(),
        ..ReasonObject::default()
    };
    let mut whose = None;
    match &reason.evidence {
        HealthEvidence::OomKill { persona, wall_time } => {
            (object.kind, whose) = ("oom_kill", persona.as_ref());
            object.time = Some(utc(*wall_time));
        }
        HealthEvidence::GpuFault { persona, wall_time } => {
            (object.kind, whose) = ("gpu_fault", persona.as_ref());
            object.time = Some(utc(*wall_time));
        }
        HealthEvidence::RssNearLimit { persona, rss_bytes, limit_bytes } => {
            (object.kind, whose) = ("rss_near_limit", Some(persona));
            (object.bytes, object.of_bytes) = (Some(*rss_bytes), Some(*limit_bytes));
        }
        HealthEvidence::MemoryLow { available_bytes, memory_bytes } => {
            object.kind = "memory_low";
            (object.bytes, object.of_bytes) = (Some(*available_bytes), Some(*memory_bytes));
        }
        HealthEvidence::GpuLost { index } => {
            (object.kind, object.gpu_index) = ("gpu_lost", Some(*index));
        }
        HealthEvidence::VramNearlyFull { index, used_bytes, total_bytes } => {
            (object.kind, object.gpu_index) = ("vram_nearly_full", Some(*index));
            (object.bytes, object.of_bytes) = (Some(*used_bytes), Some(*total_bytes));
        }
        HealthEvidence::Crashes { persona, count } => {
            (object.kind, whose) = ("crashes", persona.as_ref());
            object.count = Some(*count);
        }
        HealthEvidence::Alert { persona, rule, wall_time, .. } => {
            (object.kind, whose) = ("alert", persona.as_ref());
            (object.rule, object.time) = (Some(rule.name()), Some(utc(*wall_time)));
        }
        HealthEvidence::LostEvents { count } => {
            (object.kind, object.count) = ("lost_events", Some(*count));
        }
        HealthEvidence::StoreFailing { .. } => object.kind = "store_failing",
    }
    (object.persona, object.genome_id) = name_and_id(whose);
    object
}

fn machine(machine: &MachineUsage) -> MachineObject {
    MachineObject {
        figures: machine.figures,
        processors: machine.processors,
        memory_bytes: machine.memory_bytes,
        available_bytes: machine.available_bytes,
        uptime_ns: machine.uptime_ns,
        tracing_since: machine.tracing_since.map(utc),
        events: machine.events,
        lost_events: machine.lost_events,
    }
}

fn personas<'a>(active: &'a Active, overview: &Overview) -> Vec<PersonaObject<'a>> {
    let seen = active.seen();
    let mut sorted: Vec<&PersonaUsage> = active.usage.personas.iter().collect();
    sorted.sort_by(|a, b| overview.sort.order(a, b, seen, false));
    let object = |usage: &'a PersonaUsage| PersonaObject {
        persona: &usage.persona.name,
        genome_id: usage.persona.genome_id.as_deref(),
        score: overview.health.as_ref().map(|health| health.score_of(&usage.persona).points),
        figures: usage.figures,
        rss_limit_bytes: usage.rss_limit_bytes,
        crashes_last_hour: seen.crashes_of(&usage.persona),
        started: usage.started.map(utc),
    };
    sorted.into_iter().map(object).collect()
}

fn recent(recent: &Recent) -> RecentObject<'_> {
    RecentObject {
        store: &recent.store,
        from: utc(recent.range.from),
        until: utc(recent.range.until),
        is_complete: recent.gaps.is_empty(),
        gaps: recent.gaps.iter().map(gap).collect(),
        figures: recent.figures.iter().map(recent_figure).collect(),
    }
}

fn recent_figure(figure: &RecentFigure) -> RecentFigureObject<'_> {
    let (persona, genome_id) = name_and_id(figure.persona.as_ref());
    let (metric, summary) = (figure.metric.name(), summary(&figure.summary));
    RecentFigureObject { persona, genome_id, metric, summary }
}

fn warning(warning: &Warning) -> WarningObject<'_> {
    let (persona, genome_id) = name_and_id(warning.persona.as_ref());
    WarningObject { state: warning.state.word(), persona, genome_id, text: &warning.text }
}

pub(in crate::render) fn advice(advice: &Advice) -> AdviceObject<'_> {
    AdviceObject {
        persona: advice.persona.as_deref(),
        genome_id: advice.genome_id.as_deref(),
        text: &advice.text,
    }
}
