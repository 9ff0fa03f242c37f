//! What personas and the machine use.

use std::collections::BTreeMap;

use super::{counters::timestamp, labels::Whose};
use crate::{
    model::{Figures, Metric, PersonaUsage, Unit, Usage, WallTime},
    render::open_metrics::{OpenMetrics, Type::Gauge, Value},
};

/// Personas that have series of their own: those with the most memory. The
/// others are summed up, so that names from outside cannot fill a database.
pub const SHOWN_PERSONAS: usize = 200;

/// A metric's name for personas, its name for the machine, unit and help.
type Name = (&'static str, &'static str, &'static str, &'static str);

const fn name(metric: Metric) -> Name {
    match metric {
        Metric::RssBytes => (
            "genome_memory_usage_bytes",
            "genome_machine_memory_usage_bytes",
            "bytes",
            "Resident memory of all processes together.",
        ),
        Metric::CpuPercent => (
            "genome_cpu_usage_ratio",
            "genome_machine_cpu_usage_ratio",
            "ratio",
            "Processors in use, over the recorder's last look: 1 is one processor.",
        ),
        Metric::VramBytes => (
            "genome_vram_usage_bytes",
            "genome_machine_vram_usage_bytes",
            "bytes",
            "GPU memory of all processes together, on all GPUs.",
        ),
        Metric::GpuPercent => (
            "genome_gpu_usage_ratio",
            "genome_machine_gpu_usage_ratio",
            "ratio",
            "GPUs in use, over the recorder's last look: 1 is one GPU.",
        ),
        Metric::WriteCallsPerSecond => (
            "genome_write_calls_per_second",
            "genome_machine_write_calls_per_second",
            "",
            "Calls that write to files, a second, over the recorder's last look.",
        ),
        Metric::WrittenBytesPerSecond => (
            "genome_written_bytes_per_second",
            "genome_machine_written_bytes_per_second",
            "",
            "Bytes that calls wrote, a second, over the recorder's last look.",
        ),
        Metric::FilesCreatedPerSecond => (
            "genome_files_created_per_second",
            "genome_machine_files_created_per_second",
            "",
            "Files created, a second, over the recorder's last look.",
        ),
        Metric::SpawnsPerSecond => (
            "genome_spawns_per_second",
            "genome_machine_spawns_per_second",
            "",
            "Processes created, a second, over the recorder's last look.",
        ),
        Metric::Processes => ("genome_processes", "genome_machine_processes", "", "Processes."),
        Metric::Threads => ("genome_threads", "genome_machine_threads", "", "Threads."),
        Metric::OpenFiles => {
            ("genome_open_files", "genome_machine_open_files", "", "Open file descriptors.")
        }
    }
}

/// In the base unit.
fn value(metric: Metric, figure: Option<f64>) -> Option<Value> {
    let scale = match metric.unit() {
        Unit::Percent => 100.0,
        Unit::Bytes | Unit::PerSecond | Unit::BytesPerSecond | Unit::Count => 1.0,
    };
    figure.map(|figure| Value::Number(figure / scale))
}

/// What has the same labels, added up.
#[derive(Default)]
pub(super) struct Sum {
    figures: Figures,
    limit_bytes: Option<u64>,
    started: Option<WallTime>,
    personas: u64,
}

impl Sum {
    fn add(&mut self, of: &PersonaUsage) {
        if self.personas == 0 {
            self.figures = of.figures;
            self.limit_bytes = of.rss_limit_bytes;
            self.started = of.started;
        } else {
            for metric in Metric::ALL {
                // A sum of which a part is unknown is unknown.
                let sum = self.figures.get(metric).zip(of.figures.get(metric));
                self.figures.set(metric, sum.map(|(sum, part)| sum + part));
            }
            // Nothing says that they have a limit in common.
            self.limit_bytes = None;
            self.started = self.started.zip(of.started).map(|(a, b)| a.min(b));
        }
        self.personas += 1;
    }
}

pub(super) fn sums(personas: &[PersonaUsage]) -> BTreeMap<Whose, Sum> {
    let mut personas: Vec<_> = personas.iter().collect();
    let rss = |of: &PersonaUsage| of.figures.get(Metric::RssBytes).unwrap_or_default();
    // Unstable names among equals would make series come and go.
    personas.sort_by(|a, b| rss(b).total_cmp(&rss(a)).then_with(|| a.persona.cmp(&b.persona)));
    let mut sums: BTreeMap<Whose, Sum> = BTreeMap::new();
    for of in personas {
        let whose = Whose::of(&of.persona);
        let shown = sums.keys().filter(|whose| !whose.is_others()).count();
        let has_room = sums.contains_key(&whose) || shown < SHOWN_PERSONAS;
        let whose = if has_room { whose } else { Whose::others() };
        sums.entry(whose).or_default().add(of);
    }
    sums
}

/// The labels of those that are shown, the sum of the others among them.
pub(super) fn shown(usage: &Usage) -> Vec<Whose> {
    sums(&usage.personas).into_keys().collect()
}

pub(in crate::render) fn add(metrics: &mut OpenMetrics, usage: &Usage) {
    let sums = sums(&usage.personas);
    of_personas(metrics, &sums);
    let others: u64 =
        sums.iter().filter(|(of, _)| of.is_others()).map(|(_, sum)| sum.personas).sum();
    let count = u64::try_from(usage.personas.len()).unwrap_or(u64::MAX);
    metrics
        .metric("genome_personas", Gauge, "", "Personas that have a process.")
        .sample(&[], Some(Value::Whole(count)));
    let help = "Personas that have no series of their own but are summed up as (others).";
    metrics
        .metric("genome_personas_summed", Gauge, "", help)
        .sample(&[], Some(Value::Whole(others)));
    of_machine(metrics, usage);
}

pub(super) fn of_personas(metrics: &mut OpenMetrics, sums: &BTreeMap<Whose, Sum>) {
    for metric in Metric::ALL {
        let (name, _, unit, help) = name(metric);
        let mut family = metrics.metric(name, Gauge, unit, help);
        for (whose, sum) in sums {
            family.sample(&whose.labels(), value(metric, sum.figures.get(metric)));
        }
    }
    let help = "Lowest memory limit that all processes are under; absent where there is none.";
    let mut limit = metrics.metric("genome_memory_limit_bytes", Gauge, "bytes", help);
    for (whose, sum) in sums {
        limit.sample(&whose.labels(), sum.limit_bytes.map(Value::Whole));
    }
    let help = "When the oldest process started, in seconds since 1970.";
    let mut started = metrics.metric("genome_start_timestamp_seconds", Gauge, "seconds", help);
    for (whose, sum) in sums {
        started.sample(&whose.labels(), sum.started.and_then(timestamp));
    }
}

fn of_machine(metrics: &mut OpenMetrics, usage: &Usage) {
    let machine = &usage.machine;
    for metric in Metric::ALL {
        let (_, name, unit, help) = name(metric);
        let figure = machine.figures.get(metric);
        metrics.metric(name, Gauge, unit, help).sample(&[], value(metric, figure));
    }
    for (name, unit, help, value) in [
        ("genome_machine_memory_bytes", "bytes", "Memory.", machine.memory_bytes.map(Value::Whole)),
        (
            "genome_machine_memory_available_bytes",
            "bytes",
            "Memory that could be had without swapping.",
            machine.available_bytes.map(Value::Whole),
        ),
        (
            "genome_machine_processors",
            "",
            "Processors.",
            machine.processors.map(|count| Value::Whole(count.into())),
        ),
        (
            "genome_machine_uptime_seconds",
            "seconds",
            "Time since the boot.",
            machine.uptime_ns.map(|ns| Value::Seconds { ns }),
        ),
        (
            "genome_usage_timestamp_seconds",
            "seconds",
            "When the recorder looked last, in seconds since 1970.",
            timestamp(usage.wall_time),
        ),
    ] {
        metrics.metric(name, Gauge, unit, help).sample(&[], value);
    }
}
