//! What a command and all that it starts did to the machine: the events of one
//! tree of processes, and looks at it, become one [`Run`].
//!
//! Counts come from events alone, so they do not depend on when anybody
//! looked. Peaks of the whole tree come from looks, and are at least what its
//! biggest process told at its end.

mod files;
mod look;
mod processes;
mod table;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

use std::collections::BTreeMap;

pub use look::TreeLook;

use crate::model::{
    Crash, Ending, Event, Lost, Payload, ProcessKey, Run, RunFigures, RunMetric, RunUnlisted,
    WallTime,
};
use files::Files;
use processes::Processes;

/// Rows of each list; the rest is `unlisted`.
const LISTED_MAX: usize = 4096;
/// Crashes that are listed.
const CRASHES_MAX: usize = 256;

/// What names are called in a report: equal in two runs of the same thing.
pub trait RunNames {
    /// The path of an executable.
    fn executable(&self, path: &[u8]) -> String;

    /// The path of a folder; of a file that stands in none, its own.
    fn folder(&self, path: &[u8]) -> String;
}

/// A run in the making.
pub struct RunAccount {
    names: Box<dyn RunNames>,
    processes: Processes,
    files: Files,
    oom_kills: u64,
    lost: Lost,
    /// Of looks.
    peaks: TreeLook,
    peak_vram_at_death: Option<u64>,
    /// When the command was executed, and when it had ended.
    began: Option<(u64, WallTime)>,
    ended_ns: Option<u64>,
}

/// What is known of a run only when it is over.
pub struct RunEnd {
    /// How the command itself ended.
    pub outcome: Ending,
    /// When it was let go, for a run whose first event was lost.
    pub started: WallTime,
    /// The time from then to its end, in nanoseconds, likewise.
    pub wall_ns: u64,
    /// Its crashes, the earliest first.
    pub crashes: Vec<Crash>,
}

impl RunAccount {
    /// Begins with nothing.
    #[must_use]
    pub fn new(names: Box<dyn RunNames>) -> Self {
        Self {
            names,
            processes: Processes::default(),
            files: Files::default(),
            oom_kills: 0,
            lost: Lost::default(),
            peaks: TreeLook::default(),
            peak_vram_at_death: None,
            began: None,
            ended_ns: None,
        }
    }

    /// Hears of an event of the tree, or of nobody. To be called with every one,
    /// in order; the first is the exec of the command itself.
    pub fn hear(&mut self, event: &Event<'_>) {
        if let Payload::Lost(lost) = &event.payload {
            self.lost = self.lost.plus(lost);
            return;
        }
        let Some(process) = &event.process else { return };
        let names = &*self.names;
        match &event.payload {
            Payload::Fork => self.processes.forked(process, names),
            Payload::Exec(exec) => {
                self.processes.executed(process, exec, names);
                self.began.get_or_insert((event.ktime_ns, event.wall_time));
            }
            Payload::Exit(exit) => {
                if self.processes.root() == Some(process.key) {
                    self.ended_ns = Some(event.ktime_ns);
                }
                self.processes.ended(process, exit, names);
                let vram = exit.vram.and_then(|vram| vram.peak_bytes.max(vram.bytes));
                self.peak_vram_at_death = self.peak_vram_at_death.max(vram);
            }
            Payload::OomKill(_) => self.oom_kills += 1,
            Payload::FileCreate(file) => self.files.created(file, names),
            Payload::FileWrite(file) => self.files.written(file, names),
            Payload::FileUnlink(file) => self.files.unlinked(file, names),
            Payload::Signal(_)
            | Payload::GpuXid(_)
            | Payload::VramSpike(_)
            | Payload::Alert(_)
            | Payload::Lost(_) => {}
        }
    }

    /// Somebody looked at the tree.
    pub fn look(&mut self, look: &TreeLook) {
        let peaks = &mut self.peaks;
        peaks.rss_bytes = peaks.rss_bytes.max(look.rss_bytes);
        peaks.largest_rss_bytes = peaks.largest_rss_bytes.max(look.largest_rss_bytes);
        peaks.threads = peaks.threads.max(look.threads);
        peaks.vram_bytes = peaks.vram_bytes.max(look.vram_bytes);
    }

    /// Whether anybody is left, as far as was heard.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.processes.root().is_some() && self.processes.left().next().is_none()
    }

    /// Those that are left, as far as was heard.
    pub fn left(&self) -> impl Iterator<Item = ProcessKey> {
        self.processes.left()
    }

    /// Processes, and files that were created, so far.
    #[must_use]
    pub const fn so_far(&self) -> (u64, u64) {
        (self.processes.count(), self.files.figures().created)
    }

    /// The run, when all was heard, and what of it is unknown and why.
    /// `is_there` says whether one that is left is still there: its end may
    /// have been lost.
    #[must_use]
    pub fn finish(
        mut self,
        end: RunEnd,
        is_there: impl Fn(ProcessKey) -> bool,
    ) -> (Run, BTreeMap<RunMetric, String>) {
        let RunEnd { outcome, started, wall_ns, mut crashes } = end;
        crashes.sort_by_key(|crash| crash.ktime_ns);
        let crash_count = crashes.len();
        let left_running = self.processes.leave(is_there);
        let mut figures = self.figures();
        let wall = self.began.zip(self.ended_ns);
        let wall_ns = wall.map_or(wall_ns, |((began, _), ended)| ended.saturating_sub(began));
        figures.set(RunMetric::WallNs, Some(wall_ns));
        figures.set(RunMetric::Crashes, Some(crash_count as u64));
        let unknown = self.unknown(&mut figures);
        let (executables, unlisted_execs) = self.processes.listed(LISTED_MAX);
        let (folders, unlisted_folders) = self.files.listed(LISTED_MAX);
        crashes.truncate(CRASHES_MAX);
        let lost = self.lost.by_name().into_iter().filter(|(_, count)| *count > 0);
        let run = Run {
            started: self.began.map_or(started, |(_, at)| at),
            outcome,
            figures,
            executables,
            endings: self.processes.endings(),
            signals: self.processes.signals(),
            unlisted: RunUnlisted {
                execs: unlisted_execs,
                crashes: crash_count.saturating_sub(crashes.len()) as u64,
                folders: unlisted_folders,
            },
            crashes,
            folders,
            left_running,
            lost: lost.map(|(name, count)| (name.to_owned(), count)).collect(),
        };
        (run, unknown)
    }

    fn figures(&self) -> RunFigures {
        let mut figures = RunFigures::default();
        let processes = &self.processes;
        let files = self.files.figures();
        let peak_rss = processes.peak_rss_bytes().max(self.peaks.largest_rss_bytes);
        for (metric, figure) in [
            (RunMetric::Processes, Some(processes.count())),
            (RunMetric::Execs, Some(processes.execs())),
            (RunMetric::FailedExits, Some(processes.failed_exits())),
            (RunMetric::Signals, Some(processes.signals().values().sum())),
            (RunMetric::OomKills, Some(self.oom_kills)),
            (RunMetric::FilesCreated, Some(files.created)),
            (RunMetric::FilesUnlinked, Some(files.unlinked)),
            (RunMetric::FilesWritten, Some(files.written_files)),
            (RunMetric::WriteCalls, Some(files.write_calls)),
            (RunMetric::WrittenBytes, Some(files.written_bytes)),
            (RunMetric::PeakRssBytes, peak_rss),
            (RunMetric::PeakTreeRssBytes, self.peaks.rss_bytes.max(peak_rss)),
            (RunMetric::PeakVramBytes, self.peaks.vram_bytes.max(self.peak_vram_at_death)),
            (RunMetric::PeakThreads, self.peaks.threads.max(processes.peak_threads())),
            (RunMetric::CpuNs, processes.cpu_ns()),
        ] {
            figures.set(metric, figure);
        }
        figures
    }

    /// Takes back figures that are not known after all; says why.
    fn unknown(&self, figures: &mut RunFigures) -> BTreeMap<RunMetric, String> {
        let mut unknown = BTreeMap::new();
        for (name, count) in self.lost.by_name().into_iter().filter(|(_, count)| *count > 0) {
            for metric in needing(name) {
                let plural = if count == 1 { "" } else { "s" };
                unknown.entry(*metric).or_insert_with(|| {
                    format!("{count} event{plural} of the kind {name} came too fast and were lost")
                });
            }
        }
        if self.files.has_forgotten() {
            let why = "more different files were written to than are told apart".to_owned();
            unknown.insert(RunMetric::FilesWritten, why);
        }
        for metric in unknown.keys() {
            figures.set(*metric, None);
        }
        for (metric, figure) in figures.iter() {
            // Why there are no GPUs is for those to say who look at them.
            if figure.is_none() && metric != RunMetric::PeakVramBytes {
                unknown
                    .entry(metric)
                    .or_insert_with(|| "the kernel did not tell it of every process".to_owned());
            }
        }
        unknown
    }
}

/// What is counted from events of that kind. One that was skipped may have been
/// none at all, so it speaks against nothing.
fn needing(lost: &str) -> &'static [RunMetric] {
    match lost {
        "fork" => &[RunMetric::Processes],
        "exec" => &[RunMetric::Execs],
        "exit" => &[
            RunMetric::FailedExits,
            RunMetric::Signals,
            RunMetric::Crashes,
            RunMetric::PeakRssBytes,
            RunMetric::CpuNs,
        ],
        "oom_kill" => &[RunMetric::OomKills, RunMetric::Crashes],
        "file_create" => &[RunMetric::FilesCreated],
        "file_unlink" => &[RunMetric::FilesUnlinked],
        "file_write" => &[RunMetric::FilesWritten, RunMetric::WriteCalls, RunMetric::WrittenBytes],
        "file_path" => &[RunMetric::FilesWritten],
        _ => &[],
    }
}
