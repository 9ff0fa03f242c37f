//! Looks at many processes, whose figures go up and down a little.

use std::hint::black_box;

use anyhow::Context as _;
use genome_trace::detect::{Baselines, DetectPolicy, Detectors};
use genome_trace::model::{
    Figures, MachineUsage, Metric, Persona, PersonaUsage, ProcessKey, ProcessUsage, Usage, WallTime,
};

use super::super::samples::crowd::{PERSONAS, PROCESSES, name};
use crate::clock::cpu_time;
use crate::stats::Spread;

const SECOND_NS: u64 = 1_000_000_000;
/// Until habits speak, and what is kept of the last five minutes is full.
const SETTLED: u64 = 700;
/// Looks that are measured as one, and how often.
const LOOKS: u64 = 50;
const TIMES: u64 = 21;

/// CPU time of detectors for a look, in microseconds.
pub(super) fn measure() -> anyhow::Result<Spread> {
    let mut detectors = Detectors::new(&DetectPolicy::default(), Baselines::default());
    let mut crowd = Crowd::new();
    for _ in 0..SETTLED {
        detectors.look(crowd.next(), None);
    }
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let mut sum = 0.0;
        for _ in 0..LOOKS {
            let usage = crowd.next();
            let before = cpu_time(std::process::id())?;
            detectors.look(black_box(usage), None);
            sum += cpu_time(std::process::id())?.saturating_sub(before).as_secs_f64();
        }
        took.push(sum / LOOKS as f64 * 1e6);
    }
    Spread::of(&took).context("no look was measured")
}

/// Processes that are there, and what they use.
struct Crowd {
    usage: Usage,
    noise: u64,
}

impl Crowd {
    fn new() -> Self {
        let process = |tgid: u32| ProcessUsage {
            key: ProcessKey { tgid, start_time: 1 },
            ppid: Some(1),
            comm: Some("worker".to_owned()),
            uid: Some(1000),
            started: Some(WallTime { unix_ns: 0 }),
            figures: Figures::default(),
        };
        let persona = |number: u32| PersonaUsage {
            persona: Persona { name: name(number), genome_id: None },
            figures: Figures::default(),
            rss_limit_bytes: None,
            started: Some(WallTime { unix_ns: 0 }),
            processes: (0..PROCESSES)
                .filter(|tgid| tgid % PERSONAS == number)
                .map(|tgid| process(1000 + tgid))
                .collect(),
        };
        let usage = Usage {
            wall_time: WallTime { unix_ns: 1_000_000 * SECOND_NS.cast_signed() },
            interval_ns: None,
            machine: MachineUsage {
                memory_bytes: Some(64 << 30),
                available_bytes: Some(48 << 30),
                uptime_ns: Some(1_000_000 * SECOND_NS),
                ..MachineUsage::default()
            },
            personas: (0..PERSONAS).map(persona).collect(),
        };
        Self { usage, noise: 1 }
    }

    /// A second later.
    fn next(&mut self) -> &Usage {
        let Self { usage, noise } = self;
        usage.interval_ns = Some(SECOND_NS);
        usage.wall_time.unix_ns += SECOND_NS.cast_signed();
        usage.machine.uptime_ns = usage.machine.uptime_ns.map(|ns| ns + SECOND_NS);
        for persona in &mut usage.personas {
            for metric in Metric::ALL {
                let mut sum = 0.0;
                for process in &mut persona.processes {
                    // A linear congruential generator: its upper bits are noise
                    // enough, and the same in every run.
                    *noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let part = (*noise >> 40) as f64 / f64::from(1_u32 << 24);
                    let figure = usual(metric) * (0.95 + part / 10.0);
                    process.figures.set(metric, Some(figure));
                    sum += figure;
                }
                persona.figures.set(metric, Some(sum));
            }
        }
        usage
    }
}

/// What a process uses, more or less.
const fn usual(metric: Metric) -> f64 {
    match metric {
        Metric::RssBytes | Metric::VramBytes => 256.0 * 1024.0 * 1024.0,
        Metric::WrittenBytesPerSecond => 65_536.0,
        Metric::OpenFiles => 40.0,
        Metric::Threads => 8.0,
        _ => 2.0,
    }
}
