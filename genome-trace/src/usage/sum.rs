//! Sums over processes, of which an unknown part makes the whole unknown.

use super::{GpuShare, tally::Acts};
use crate::model::{Figures, Metric, ProcessSample};

/// Processes together at one look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sum {
    processes: u64,
    rss_bytes: Option<u64>,
    threads: Option<u64>,
    open_files: Option<u64>,
    vram_bytes: Option<u64>,
    gpu_percent: Option<f64>,
    /// 1 is one processor.
    cpu: Option<f64>,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            processes: 0,
            rss_bytes: Some(0),
            threads: Some(0),
            open_files: Some(0),
            vram_bytes: Some(0),
            gpu_percent: Some(0.0),
            cpu: Some(0.0),
        }
    }
}

impl Sum {
    pub(super) fn of(sample: &ProcessSample<'_>, cpu: Option<f64>, share: GpuShare) -> Self {
        Self {
            processes: 1,
            rss_bytes: sample.rss_bytes(),
            threads: sample.threads.map(u64::from),
            open_files: sample.open_files.map(u64::from),
            vram_bytes: share.vram_bytes,
            gpu_percent: share.percent,
            cpu,
        }
    }

    /// Memory that is nobody's own counts as none.
    pub(super) fn with_rss_or_none(self) -> Self {
        Self { rss_bytes: self.rss_bytes.or(Some(0)), ..self }
    }

    /// Asks for what is unknown only.
    pub(super) fn with_open_files_or(self, ask: impl FnOnce() -> Option<u64>) -> Self {
        Self { open_files: self.open_files.or_else(ask), ..self }
    }

    pub(super) fn add(&mut self, other: &Self) {
        let plus = |one: Option<u64>, other: Option<u64>| Some(one?.saturating_add(other?));
        let plus_f = |one: Option<f64>, other: Option<f64>| Some(one? + other?);
        self.processes += other.processes;
        self.rss_bytes = plus(self.rss_bytes, other.rss_bytes);
        self.threads = plus(self.threads, other.threads);
        self.open_files = plus(self.open_files, other.open_files);
        self.vram_bytes = plus(self.vram_bytes, other.vram_bytes);
        self.gpu_percent = plus_f(self.gpu_percent, other.gpu_percent);
        self.add_cpu(other.cpu);
    }

    pub(super) fn add_cpu(&mut self, cpu: Option<f64>) {
        self.cpu = self.cpu.zip(cpu).map(|(one, other)| one + other);
    }

    #[allow(clippy::cast_precision_loss)]
    pub(super) fn figures(&self, acts: &Acts, interval_ns: Option<u64>) -> Figures {
        let number = |number: Option<u64>| number.map(|number| number as f64);
        let rate = |amount: u64| interval_ns.map(|ns| amount as f64 * 1e9 / ns as f64);
        let mut figures = Figures::default();
        for (metric, figure) in [
            (Metric::RssBytes, number(self.rss_bytes)),
            (Metric::CpuPercent, self.cpu.filter(|_| interval_ns.is_some()).map(|cpu| cpu * 100.0)),
            (Metric::VramBytes, number(self.vram_bytes)),
            (Metric::GpuPercent, self.gpu_percent),
            (Metric::WriteCallsPerSecond, rate(acts.write_calls)),
            (Metric::WrittenBytesPerSecond, rate(acts.written_bytes)),
            (Metric::FilesCreatedPerSecond, rate(acts.files)),
            (Metric::SpawnsPerSecond, rate(acts.spawns)),
            (Metric::Processes, number(Some(self.processes))),
            (Metric::Threads, number(self.threads)),
            (Metric::OpenFiles, number(self.open_files)),
        ] {
            figures.set(metric, figure);
        }
        figures
    }

    /// The machine's: its CPU time is not only its processes', and what its
    /// GPUs hold is not, either.
    pub(super) fn of_machine(&self, acts: &Acts, interval_ns: Option<u64>) -> Figures {
        let mut figures = self.figures(acts, interval_ns);
        for metric in [Metric::CpuPercent, Metric::VramBytes, Metric::GpuPercent] {
            figures.set(metric, None);
        }
        figures
    }
}
