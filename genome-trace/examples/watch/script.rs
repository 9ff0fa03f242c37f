//! Looks at a machine that does not exist: the same ones at each run. The
//! screen's tests and `cargo run --example watch` show them.

use std::collections::BTreeMap;

use genome_trace::{
    detect::{HealthFacts, health},
    model::{
        CrashKind, EventKind, Figures, Gpu, GpuDetails, GpuHealth, GpuIdentity, GpuSnapshot,
        MachineUsage, Metric, Persona, PersonaUsage, ProcessKey, ProcessUsage, RecentCrash, Usage,
        Vram, WallTime,
    },
    screen::{Look, ToldEvent},
};

const S: i64 = 1_000_000_000;
/// 2026-11-20T11:31:35Z.
const BEGIN_NS: i64 = 1_795_174_295 * S;
const MIB: f64 = (1 << 20) as f64;
const GIB: f64 = (1 << 30) as f64;

/// The look of a step, a second after the one before.
pub(crate) fn look(step: u32) -> Look {
    let wall_time = WallTime { unix_ns: BEGIN_NS + i64::from(step) * S };
    let usage = Usage {
        wall_time,
        interval_ns: (step > 0).then_some(1_000_000_000),
        machine: machine(step, wall_time),
        personas: personas(step, wall_time),
    };
    let crash = |name: &str, ago_s: i64| RecentCrash {
        persona: Some(persona(name, None)),
        kind: CrashKind::ErrorExit,
        wall_time: WallTime { unix_ns: BEGIN_NS - ago_s * S },
    };
    let recent = [crash("MathExpert", 600), crash("MathExpert", 60)];
    let gpus = gpus(step);
    let facts = HealthFacts {
        usage: &usage,
        gpus: Some(&gpus),
        crashes: &recent,
        alerts: &[],
        store_failure: None,
    };
    let health = health(&facts);
    Look {
        events: events(step),
        gpus: Some(gpus),
        crashes: Some(BTreeMap::from([(persona("MathExpert", None), 2)])),
        health,
        usage,
    }
}

/// A look at a machine without personas and GPUs, and of which nothing is known.
#[allow(dead_code)]
pub(crate) fn empty() -> Look {
    Look {
        usage: Usage {
            wall_time: WallTime { unix_ns: BEGIN_NS },
            interval_ns: None,
            machine: MachineUsage::default(),
            personas: Vec::new(),
        },
        gpus: None,
        crashes: None,
        health: genome_trace::model::Health::default(),
        events: Vec::new(),
    }
}

fn persona(name: &str, genome_id: Option<&str>) -> Persona {
    Persona { name: name.to_owned(), genome_id: genome_id.map(str::to_owned) }
}

/// From 0 to 1 and back, in 20 steps.
fn wave(step: u32) -> f64 {
    f64::from(10_u32.abs_diff(step % 20)) / 10.0
}

fn figures(known: &[(Metric, f64)]) -> Figures {
    let mut figures = Figures::default();
    for (metric, figure) in known {
        figures.set(*metric, Some(*figure));
    }
    figures
}

fn machine(step: u32, wall_time: WallTime) -> MachineUsage {
    MachineUsage {
        figures: figures(&[
            (Metric::CpuPercent, 412.0 + 100.0 * wave(step)),
            (Metric::Processes, 348.0),
        ]),
        processors: Some(16),
        memory_bytes: Some(64 << 30),
        available_bytes: Some(21 << 30),
        uptime_ns: Some(277_200_000_000_000),
        tracing_since: Some(WallTime { unix_ns: wall_time.unix_ns - 7_500 * S }),
        events: Some(1_234_567 + u64::from(step) * 100),
        lost_events: Some(0),
    }
}

fn process(
    (tgid, ppid): (u32, u32),
    comm: &str,
    started_ns: i64,
    known: &[(Metric, f64)],
) -> ProcessUsage {
    ProcessUsage {
        key: ProcessKey { tgid, start_time: u64::from(tgid) },
        ppid: Some(ppid),
        comm: Some(comm.to_owned()),
        uid: Some(1000),
        started: Some(WallTime { unix_ns: started_ns }),
        figures: figures(known),
    }
}

fn personas(step: u32, wall_time: WallTime) -> Vec<PersonaUsage> {
    let grown = 24.0 + 4.0 * wave(step);
    let hour_ago = BEGIN_NS - 3_600 * S;
    let code = PersonaUsage {
        persona: persona("CodeExpert", Some("a3f9c2")),
        figures: figures(&[
            (Metric::RssBytes, grown * GIB),
            (Metric::CpuPercent, 220.0 + 60.0 * wave(step)),
            (Metric::VramBytes, 40.0 * GIB),
            (Metric::GpuPercent, 71.0),
            (Metric::WriteCallsPerSecond, 1_520.0 * wave(step)),
            (Metric::WrittenBytesPerSecond, 31.0 * MIB * wave(step)),
            (Metric::FilesCreatedPerSecond, 0.5),
            (Metric::SpawnsPerSecond, 0.0),
            (Metric::Processes, 4.0),
            (Metric::Threads, 61.0),
            (Metric::OpenFiles, 212.0),
        ]),
        rss_limit_bytes: Some(32 << 30),
        started: Some(WallTime { unix_ns: hour_ago }),
        processes: vec![
            process(
                (4711, 1),
                "python3",
                hour_ago,
                &[
                    (Metric::RssBytes, (grown - 4.0) * GIB),
                    (Metric::CpuPercent, 200.0),
                    (Metric::VramBytes, 40.0 * GIB),
                    (Metric::Threads, 48.0),
                    (Metric::OpenFiles, 150.0),
                ],
            ),
            process(
                (4720, 4711),
                "dataloader",
                hour_ago + 2 * S,
                &[(Metric::RssBytes, 2.0 * GIB), (Metric::CpuPercent, 12.0)],
            ),
            process((4733, 4720), "gzip", wall_time.unix_ns, &[(Metric::RssBytes, 3.0 * MIB)]),
            process((4721, 4711), "dataloader", hour_ago + 2 * S, &[(Metric::RssBytes, 2.0 * GIB)]),
        ],
    };
    let math = PersonaUsage {
        persona: persona("MathExpert", None),
        figures: figures(&[
            (Metric::RssBytes, 9.5 * GIB),
            (Metric::CpuPercent, 99.5),
            (Metric::VramBytes, 15.0 * GIB),
            (Metric::GpuPercent, 18.0),
            (Metric::WriteCallsPerSecond, 2.5),
            (Metric::Processes, 1.0),
            (Metric::Threads, 8.0),
            (Metric::OpenFiles, 31.0),
        ]),
        rss_limit_bytes: None,
        started: Some(WallTime { unix_ns: BEGIN_NS - 200_000 * S }),
        processes: vec![process(
            (812, 1),
            "vllm",
            BEGIN_NS - 200_000 * S,
            &[(Metric::RssBytes, 9.5 * GIB)],
        )],
    };
    // Names that would take the terminal over, or two columns a character.
    let evil = PersonaUsage {
        persona: persona("\u{1b}[31mred\nline", Some("\u{202e}x")),
        figures: figures(&[(Metric::RssBytes, 30.0 * MIB), (Metric::Processes, 1.0)]),
        rss_limit_bytes: Some(64 << 20),
        started: None,
        processes: vec![process((99, 1), "\u{1b}[2Jx", BEGIN_NS, &[])],
    };
    let mut all = vec![code, math, evil];
    // One that knows nothing, and comes and goes.
    if step % 30 < 20 {
        all.push(PersonaUsage {
            persona: persona("日本語の翻訳者", None),
            figures: figures(&[(Metric::Processes, 1.0)]),
            rss_limit_bytes: None,
            started: None,
            processes: vec![process((77, 1), "翻訳", BEGIN_NS, &[])],
        });
    }
    all
}

fn gpus(step: u32) -> GpuSnapshot {
    let gpu = |index: u32, used_bytes, gpu_percent| Gpu {
        identity: GpuIdentity {
            index,
            name: Some("NVIDIA H100 80GB HBM3".into()),
            ..GpuIdentity::default()
        },
        health: GpuHealth::Ok,
        vram: Vram { total_bytes: Some(80 << 30), used_bytes, reserved_bytes: None },
        processes: None,
        details: Some(Box::new(GpuDetails {
            gpu_percent,
            temperature_celsius: Some(61 + step % 3),
            power_milliwatts: Some(412_300),
            ..GpuDetails::default()
        })),
    };
    GpuSnapshot {
        ktime_ns: 0,
        took_ns: 0,
        driver_version: None,
        cuda_version: None,
        gpus: vec![gpu(0, Some(77 << 30), Some(89)), gpu(1, None, None)],
    }
}

fn events(step: u32) -> Vec<ToldEvent> {
    let told = |kind: EventKind, what: &str| {
        let second = 35 + step;
        let time = format!("11:{:02}:{:02}.120", 31 + second / 60, second % 60);
        let line = format!("{time}  {:15}  {:>7}  {:11}  {what}", "CodeExpert", 4733, kind.name());
        ToldEvent { kind, line }
    };
    match step % 5 {
        0 => vec![told(EventKind::Fork, ""), told(EventKind::Exec, "gzip -9 shard-0001.jsonl")],
        3 => vec![told(EventKind::Exit, "exit code 0 after 3.2 s, CPU 2.9 s")],
        4 if step % 20 == 4 => vec![told(EventKind::OomKill, "memory limit of the cgroup reached")],
        _ => Vec::new(),
    }
}
