//! Reports for the tests: of one persona that tells everything, and of one that
//! tells nothing.

use crate::{
    model::{
        Advice, Course, Crash, CrashKind, EventKind, Gap, GapReason, Health, Metric, ModelFile,
        ModelFileKind, NotableEvent, PersonaHour, PersonaReport, ProcessKey, ReportedCrash,
        SampleSpan, TimeRange, Trend,
    },
    render::{
        history::sample::course_of,
        overview::sample::{before, expert, expert_usage, ill, judge_usage},
        sample::TIME,
    },
};

fn course(metric: Metric, level: f64, trend: Trend) -> Course {
    let hour = TimeRange { from: before(3_600), until: TIME };
    course_of((Some(&expert()), metric), level, trend, hour, (60, 20..25))
}

fn crash(id: i64, comm: Option<&str>) -> ReportedCrash {
    let key = ProcessKey { tgid: 4700, start_time: 1 };
    let crash = Crash {
        persona: Some("CodeExpert".to_owned()),
        genome_id: Some("a3f9c2".to_owned()),
        comm: comm.map(str::to_owned),
        ..Crash::new(
            before(600),
            0,
            key,
            CrashKind::Oom,
            "the memory cgroup /ai/code was at its limit, 32 GiB used of 32 GiB".to_owned(),
        )
    };
    ReportedCrash { id, crash }
}

fn file(path: &str, kind: ModelFileKind, size_bytes: Option<u64>, how: (bool, bool)) -> ModelFile {
    ModelFile { path: path.as_bytes().into(), kind, size_bytes, is_mapped: how.0, is_open: how.1 }
}

fn hour() -> PersonaHour {
    let gap = Gap {
        from: before(2_400),
        until: before(2_100),
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
    let event = |kind, tgid, text: &str| NotableEvent {
        wall_time: before(300),
        kind,
        tgid,
        text: text.to_owned(),
    };
    PersonaHour {
        store: "/var/lib/genome-trace/store.db".to_owned(),
        range: TimeRange { from: before(3_600), until: TIME },
        span: SampleSpan::Minute,
        step_ns: 60_000_000_000,
        courses: vec![
            course(Metric::RssBytes, 28e9, Trend::Rising(1.2e9)),
            course(Metric::CpuPercent, 240.0, Trend::Stable),
            course(Metric::VramBytes, 40e9, Trend::Unknown),
            course(Metric::WriteCallsPerSecond, 1_500.0, Trend::Falling(-200.0)),
            course(Metric::SpawnsPerSecond, 0.5, Trend::Stable),
            course(Metric::Threads, 61.0, Trend::Stable),
        ],
        crashes: vec![crash(8, Some("python3")), crash(7, None)],
        events: vec![
            event(EventKind::VramSpike, Some(4711), "40 GiB, 12 GiB before"),
            event(EventKind::GpuXid, None, "XID 31: GPU memory page fault"),
        ],
        gaps: vec![gap, lost],
    }
}

/// Everything is known.
pub(super) fn known() -> PersonaReport {
    let mut health = ill();
    health.reasons.retain(|reason| reason.evidence.persona().is_some());
    PersonaReport {
        version: "0.1.0".to_owned(),
        host: "box".to_owned(),
        now: TIME,
        persona: expert(),
        health: Some(health),
        usage: Some(expert_usage()),
        unknown_because: None,
        interval_ns: Some(1_000_000_000),
        crash_count: Some(2),
        model_files: vec![
            file(
                "/lora/adapter_model.safetensors",
                ModelFileKind::Adapter,
                Some(80 << 20),
                (false, true),
            ),
            file("/models/q4\u{1b}.gguf", ModelFileKind::Weights, Some(4 << 30), (true, true)),
            file("/models/gone.bin", ModelFileKind::Weights, None, (true, false)),
        ],
        closed_processes: 1,
        hour: Ok(hour()),
        advice: vec![Advice {
            persona: Some("CodeExpert".to_owned()),
            genome_id: Some("a3f9c2".to_owned()),
            text: "30 GiB of a limit of 32 GiB: raise the limit".to_owned(),
        }],
    }
}

/// Without a recorder, a store and root; and all reasons, to tell their fields.
pub(super) fn unknown() -> PersonaReport {
    let usage = judge_usage();
    PersonaReport {
        persona: usage.persona.clone(),
        health: None,
        usage: Some(usage),
        unknown_because: Some("What personas use is unknown: no recorder.".to_owned()),
        interval_ns: None,
        crash_count: None,
        model_files: Vec::new(),
        closed_processes: 1,
        hour: Err("How the last hour went is unknown: there is no store.".to_owned()),
        advice: vec![Advice { persona: None, genome_id: None, text: "look at it".to_owned() }],
        ..known()
    }
}

/// One that ran in the last hour, of which nothing is known any more.
pub(super) fn gone() -> PersonaReport {
    let empty = PersonaHour {
        courses: Vec::new(),
        crashes: Vec::new(),
        events: Vec::new(),
        gaps: Vec::new(),
        ..hour()
    };
    PersonaReport {
        health: Some(Health::default()),
        usage: None,
        model_files: Vec::new(),
        closed_processes: 0,
        crash_count: Some(0),
        hour: Ok(empty),
        advice: Vec::new(),
        ..known()
    }
}

/// Every reason, for the list of fields.
pub(super) fn every_reason() -> PersonaReport {
    PersonaReport { health: Some(ill()), ..known() }
}
