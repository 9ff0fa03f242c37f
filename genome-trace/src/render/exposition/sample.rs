//! What a recorder exposes, for the tests.

use std::sync::Arc;

use crate::{
    model::{
        CrashKind, Crashed, EventKind, Exposed, Figures, Gpu, GpuHealth, GpuIdentity, GpuSnapshot,
        Lost, MachineUsage, Metric, OpenAlert, Persona, PersonaUsage, Rule, Severity, StoreTally,
        Tally, Usage, Vram, WallTime,
    },
    render::sample::TIME,
};

pub(super) const MIB: f64 = 1_048_576.0;

pub(super) fn persona(name: &str, genome_id: Option<&str>) -> Persona {
    Persona { name: name.to_owned(), genome_id: genome_id.map(str::to_owned) }
}

/// Of a persona whose memory is known, and nothing else.
pub(super) fn uses(persona: Persona, rss_bytes: f64) -> PersonaUsage {
    let mut figures = Figures::default();
    figures.set(Metric::RssBytes, Some(rss_bytes));
    PersonaUsage {
        persona,
        figures,
        rss_limit_bytes: Some(512 << 20),
        started: Some(WallTime { unix_ns: 1_000_000_000 }),
        processes: Vec::new(),
    }
}

fn all_known() -> Figures {
    let mut figures = Figures::default();
    for (index, metric) in (1_u32..).zip(Metric::ALL) {
        figures.set(metric, Some(f64::from(index) * 12.5));
    }
    figures
}

pub(super) fn usage(personas: Vec<PersonaUsage>) -> Usage {
    Usage {
        wall_time: TIME,
        interval_ns: Some(1_000_000_000),
        machine: MachineUsage {
            figures: all_known(),
            processors: Some(8),
            memory_bytes: Some(64 << 30),
            available_bytes: Some(32 << 30),
            uptime_ns: Some(812_345_678_901),
            ..MachineUsage::default()
        },
        personas,
    }
}

pub(super) fn bare() -> Exposed {
    Exposed {
        version: "0.1.0",
        probe_mode: None,
        tracing_since: WallTime { unix_ns: 1_500_000_000 },
        tally: Tally::default(),
        store: StoreTally::default(),
        usage: None,
        gpus: None,
    }
}

fn gpu() -> Gpu {
    let name: Arc<str> = "NVIDIA H100 80GB HBM3".into();
    Gpu {
        identity: GpuIdentity { index: 0, name: Some(name), ..GpuIdentity::default() },
        health: GpuHealth::Ok,
        vram: Vram {
            total_bytes: Some(80 << 30),
            used_bytes: Some(72 << 30),
            reserved_bytes: Some(1 << 29),
        },
        processes: Some(Vec::new()),
        details: None,
    }
}

fn open(persona: Option<Persona>, rule: Rule, severity: Severity) -> OpenAlert {
    OpenAlert { persona, rule, severity }
}

/// Of a machine that tells everything.
pub(super) fn whole() -> Exposed {
    let code = persona("CodeExpert", Some("a3f9"));
    let whole = PersonaUsage { figures: all_known(), ..uses(code.clone(), 0.0) };
    let math = uses(persona("MathExpert", None), 3.0 * MIB);
    Exposed {
        probe_mode: Some("fexit"),
        tally: Tally {
            events: [(EventKind::Exec, 5), (EventKind::Exit, 4)].into(),
            lost: Lost { exit: 3, ..Lost::default() },
            crashes: [
                ((Crashed::Nobody, CrashKind::Killed), 1),
                ((Crashed::Persona(code.clone()), CrashKind::Oom), 2),
                ((Crashed::Another, CrashKind::Oom), 7),
            ]
            .into(),
            alerts: [
                ((Crashed::Nobody, Rule::MemoryLimit), 1),
                ((Crashed::Persona(code.clone()), Rule::MassCreate), 3),
            ]
            .into(),
            open_alerts: [
                (1, open(None, Rule::MemoryLimit, Severity::Critical)),
                (2, open(Some(code.clone()), Rule::MassCreate, Severity::Error)),
                (3, open(Some(code), Rule::MassCreate, Severity::Error)),
            ]
            .into(),
        },
        store: StoreTally { stored: 9, unstored: vec![("exit", 2)], is_failing: true },
        usage: Some(Arc::new(usage(vec![whole, math]))),
        gpus: Some(Arc::new(GpuSnapshot {
            ktime_ns: 1,
            took_ns: 1,
            driver_version: None,
            cuda_version: None,
            gpus: vec![gpu()],
        })),
        ..bare()
    }
}
