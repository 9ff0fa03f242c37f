//! Reports for the tests: of a machine that tells everything, and of one that
//! tells nothing.

use std::collections::BTreeMap;

use crate::{
    model::{
        Active, Advice, Figures, Gap, GapReason, GpuAccess, GpuSnapshot, Health, HealthEvidence,
        HealthReason, HealthState, MachineUsage, Metric, Outlook, Overview, Persona, PersonaUsage,
        ProcessKey, ProcessUsage, Recent, RecentFigure, SortKey, Stats, Summary, TimeRange, Usage,
        WallTime, Warning,
    },
    render::sample::TIME,
};

const GIB: f64 = (1_u64 << 30) as f64;
const SECOND: i64 = 1_000_000_000;

pub(in crate::render) const fn before(seconds: i64) -> WallTime {
    WallTime { unix_ns: TIME.unix_ns - seconds * SECOND }
}

pub(in crate::render) fn expert() -> Persona {
    Persona { name: "CodeExpert".to_owned(), genome_id: Some("a3f9c2".to_owned()) }
}

fn judge() -> Persona {
    Persona { name: "Ju\u{1b}[31mdge".to_owned(), genome_id: None }
}

fn figures(scale: f64) -> Figures {
    let mut figures = Figures::default();
    for (metric, figure) in [
        (Metric::RssBytes, 30.0 * GIB),
        (Metric::CpuPercent, 212.5),
        (Metric::VramBytes, 40.0 * GIB),
        (Metric::GpuPercent, 71.0),
        (Metric::WriteCallsPerSecond, 1_520.0),
        (Metric::WrittenBytesPerSecond, 31e6),
        (Metric::FilesCreatedPerSecond, 0.5),
        (Metric::SpawnsPerSecond, 0.1),
        (Metric::Processes, 4.0),
        (Metric::Threads, 61.0),
        (Metric::OpenFiles, 212.0),
    ] {
        figures.set(metric, Some(figure * scale));
    }
    figures
}

fn process(tgid: u32, ppid: Option<u32>, comm: Option<&str>, scale: Option<f64>) -> ProcessUsage {
    ProcessUsage {
        key: ProcessKey { tgid, start_time: 1 },
        ppid,
        comm: comm.map(str::to_owned),
        uid: ppid.map(|_| 1000),
        started: ppid.map(|_| before(3_600)),
        figures: scale.map_or_else(Figures::default, figures),
    }
}

/// One that tells everything.
pub(in crate::render) fn expert_usage() -> PersonaUsage {
    PersonaUsage {
        persona: expert(),
        figures: figures(1.0),
        rss_limit_bytes: Some(32 << 30),
        started: Some(before(3_600)),
        processes: vec![
            process(4711, Some(1), Some("python3"), Some(0.5)),
            process(4720, Some(4711), Some("dataloader"), Some(0.25)),
            process(4721, Some(4711), Some("data\nloader"), Some(0.125)),
            process(4733, None, None, None),
        ],
    }
}

/// One of which only its processes are known.
pub(in crate::render) fn judge_usage() -> PersonaUsage {
    let mut figures = Figures::default();
    figures.set(Metric::Processes, Some(1.0));
    PersonaUsage {
        persona: judge(),
        figures,
        rss_limit_bytes: None,
        started: None,
        processes: vec![process(99, None, None, None)],
    }
}

fn gpus(access: GpuAccess) -> Stats {
    let snapshot = (access == GpuAccess::Ready).then(|| GpuSnapshot {
        ktime_ns: 812_345_678_901,
        took_ns: 12_300_000,
        driver_version: Some("580.82.07".into()),
        cuda_version: Some((13, 0)),
        gpus: Vec::new(),
    });
    Stats {
        version: "0.1.0".to_owned(),
        host: "box".to_owned(),
        wall_time: TIME,
        access,
        library: "libnvidia-ml.so.1".to_owned(),
        snapshot,
        holders: Vec::new(),
        foreign_pids: false,
    }
}

/// Every reason that there is.
pub(in crate::render) fn ill() -> Health {
    let persona = Some(expert());
    let critical = [
        HealthEvidence::OomKill { persona: persona.clone(), wall_time: before(60) },
        HealthEvidence::GpuFault { persona: None, wall_time: before(90) },
        HealthEvidence::GpuLost { index: 1 },
    ];
    let warning = [
        HealthEvidence::VramNearlyFull { index: 0, used_bytes: 78 << 30, total_bytes: 80 << 30 },
        HealthEvidence::MemoryLow { available_bytes: 3 << 30, memory_bytes: 64 << 30 },
        HealthEvidence::RssNearLimit {
            persona: expert(),
            rss_bytes: 30 << 30,
            limit_bytes: 32 << 30,
        },
        HealthEvidence::Crashes { persona, count: 2 },
        HealthEvidence::LostEvents { count: 12 },
        HealthEvidence::StoreFailing { reason: "no room".to_owned() },
    ];
    let of = |state| move |evidence| HealthReason { state, evidence };
    let critical = critical.into_iter().map(of(HealthState::Critical));
    Health { reasons: critical.chain(warning.into_iter().map(of(HealthState::Warning))).collect() }
}

fn recent() -> Recent {
    let metrics = [
        (Metric::CpuPercent, 640.0),
        (Metric::RssBytes, 24.0 * GIB),
        (Metric::VramBytes, 60.0 * GIB),
        (Metric::WriteCallsPerSecond, 2_400.0),
        (Metric::SpawnsPerSecond, 3.0),
    ];
    let figure = |persona: Option<Persona>| {
        move |(metric, level): (Metric, f64)| RecentFigure {
            persona: persona.clone(),
            metric,
            summary: Summary {
                count: 300,
                min: level * 0.5,
                average: level,
                p95: level * 1.25,
                max: level * 1.5,
                last: level,
            },
        }
    };
    let gap = Gap {
        from: before(200),
        until: before(180),
        reason: GapReason::NotRunning,
        missing: None,
        note: None,
    };
    let lost = Gap {
        reason: GapReason::Lost,
        missing: Some(BTreeMap::from([("sample".to_owned(), 2)])),
        note: Some("a note".to_owned()),
        ..gap.clone()
    };
    let personas = [expert(), judge()].into_iter();
    let figures = metrics.into_iter().map(figure(None));
    Recent {
        store: "/var/lib/genome-trace/store.db".to_owned(),
        range: TimeRange { from: before(300), until: TIME },
        figures: figures
            .chain(personas.flat_map(|persona| metrics.map(figure(Some(persona)))))
            .collect(),
        gaps: vec![gap, lost],
    }
}

/// Everything is known, and much is wrong.
pub(in crate::render) fn known() -> Overview {
    let advice = |persona: Option<Persona>, text: &str| Advice {
        persona: persona.as_ref().map(|persona| persona.name.clone()),
        genome_id: persona.and_then(|persona| persona.genome_id),
        text: text.to_owned(),
    };
    let warning = |state, persona, text: &str| Warning { state, persona, text: text.to_owned() };
    Overview {
        gpus: gpus(GpuAccess::Ready),
        health: Some(ill()),
        active: Ok(Active {
            usage: Usage {
                wall_time: TIME,
                interval_ns: Some(1_000_000_000),
                machine: MachineUsage {
                    figures: figures(4.0),
                    processors: Some(16),
                    memory_bytes: Some(64 << 30),
                    available_bytes: Some(3 << 30),
                    uptime_ns: Some(277_200_000_000_000),
                    tracing_since: Some(before(7_500)),
                    events: Some(1_234_567),
                    lost_events: Some(12),
                },
                personas: vec![judge_usage(), expert_usage()],
            },
            crashes: Some(BTreeMap::from([(expert(), 2)])),
        }),
        sort: SortKey::default(),
        recent: Ok(recent()),
        outlook: Outlook {
            warnings: vec![
                warning(HealthState::Critical, None, "GPU 1 is lost"),
                warning(
                    HealthState::Warning,
                    Some(expert()),
                    "CodeExpert uses 93 % (30 GiB of 32 GiB) of its memory limit, rising by 1 \
                     GiB/h for 58 min: it is there in 2 h",
                ),
            ],
            advice: vec![
                advice(
                    Some(expert()),
                    "30 GiB of a limit of 32 GiB, rising by 1 GiB/h for 58 min: raise the limit",
                ),
                advice(Some(judge()), "look at it"),
                advice(None, "12 events were lost beside 1,234,567 seen: give it larger rings"),
            ],
        },
    }
}

/// All is well, but little is known of anybody.
pub(in crate::render) fn bare() -> Overview {
    Overview {
        gpus: gpus(GpuAccess::NoLibrary),
        health: Some(Health::default()),
        active: Ok(Active {
            usage: Usage {
                wall_time: TIME,
                interval_ns: None,
                machine: MachineUsage::default(),
                personas: Vec::new(),
            },
            crashes: None,
        }),
        recent: Ok(Recent { figures: Vec::new(), gaps: Vec::new(), ..recent() }),
        outlook: Outlook::default(),
        ..known()
    }
}

/// Without a recorder, a store and root.
pub(in crate::render) fn unknown() -> Overview {
    Overview {
        health: None,
        active: Err("What personas use is unknown: there is no recorder to ask.".to_owned()),
        recent: Err("How the last minutes went is unknown: there is no store.".to_owned()),
        ..bare()
    }
}

/// A persona of which nothing but its process is known.
pub(in crate::render) fn of_the_unknown() -> Overview {
    let mut overview = bare();
    if let Ok(active) = &mut overview.active {
        active.usage.personas = vec![judge_usage()];
    }
    overview
}
