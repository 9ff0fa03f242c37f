//! Which processes a run had, what they executed, and how they ended.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{
    super::{settled, unsettled_most},
    RunNames,
    table::Table,
};
use crate::model::{Ending, Exec, Exit, Process, ProcessKey, RunExecutable, SignalNumber};

/// What a process executed that nobody told of.
const UNKNOWN: &str = "unknown";

/// The processes of a tree.
#[derive(Debug, Default)]
pub(super) struct Processes {
    /// The command's own: the first that is heard of.
    root: Option<ProcessKey>,
    live: FxHashMap<u32, Live>,
    executables: Table<Executable>,
    count: u64,
    execs: u64,
    unlisted_execs: u64,
    exits: BTreeMap<u8, u64>,
    signals: BTreeMap<u32, u64>,
    peak_rss_bytes: Option<u64>,
    peak_threads: Option<u64>,
    cpu: CpuTime,
}

/// A process that has not ended.
#[derive(Clone, Copy, Debug)]
struct Live {
    key: ProcessKey,
    /// Its program's row.
    executable: Option<usize>,
}

/// A program's row.
#[derive(Clone, Copy, Debug, Default)]
struct Executable {
    row: RunExecutable,
    cpu: CpuTime,
}

/// CPU time of processes that have ended. What ended on a busy machine before
/// the scheduler had settled its account is counted with the most that it can
/// have used, a tick at most: among many processes there is always one.
#[derive(Clone, Copy, Debug, Default)]
struct CpuTime {
    sum_ns: u64,
    /// The kernel told of one, at least.
    is_told: bool,
    lacks: bool,
}

impl CpuTime {
    fn add(&mut self, exit: &Exit) {
        let settled = settled(exit);
        self.is_told |= settled.is_some();
        self.lacks |= settled.is_none();
        let part = settled.unwrap_or_else(|| unsettled_most(exit));
        self.sum_ns = self.sum_ns.saturating_add(part);
    }

    /// `None` for a kernel that tells of none.
    const fn known(self) -> Option<u64> {
        if self.lacks && !self.is_told { None } else { Some(self.sum_ns) }
    }
}

impl Processes {
    pub(super) fn forked(&mut self, process: &Process<'_>, names: &dyn RunNames) {
        // A child runs what its parent does, until it execs.
        let parent = process.ppid.and_then(|ppid| self.live.get(&ppid));
        let executable = match parent {
            Some(parent) => parent.executable,
            None => self.place(None, names),
        };
        self.enter(process.key, executable);
    }

    pub(super) fn executed(
        &mut self,
        process: &Process<'_>,
        exec: &Exec<'_>,
        names: &dyn RunNames,
    ) {
        let place = self.place(exec.exe, names);
        self.execs += 1;
        match place.and_then(|place| self.executables.row(place)) {
            Some(executable) => executable.row.execs += 1,
            None => self.unlisted_execs += 1,
        }
        self.enter(process.key, place);
    }

    pub(super) fn ended(&mut self, process: &Process<'_>, exit: &Exit, names: &dyn RunNames) {
        let tgid = process.key.tgid;
        let is_known = self.live.get(&tgid).is_some_and(|live| live.key == process.key);
        if !is_known {
            // Its beginning was lost.
            let place = self.place(None, names);
            self.enter(process.key, place);
        }
        let executable = self.live.remove(&tgid).and_then(|live| live.executable);
        let threads = exit.threads.map(u64::from);
        self.peak_rss_bytes = self.peak_rss_bytes.max(exit.peak_rss_bytes);
        self.peak_threads = self.peak_threads.max(threads);
        self.cpu.add(exit);
        let (failed, signaled) = match exit.ending {
            Ending::Exited { code } => {
                *self.exits.entry(code).or_default() += 1;
                (u64::from(code != 0), 0)
            }
            Ending::Signaled { signal, .. } => {
                *self.signals.entry(signal.0).or_default() += 1;
                (0, 1)
            }
        };
        let row = executable.and_then(|place| self.executables.row(place));
        if let Some(Executable { row, cpu }) = row {
            row.processes += 1;
            row.failed_exits += failed;
            row.signaled += signaled;
            row.peak_rss_bytes = row.peak_rss_bytes.max(exit.peak_rss_bytes);
            cpu.add(exit);
        }
    }

    /// Counts a process that is new; one that is not runs another program.
    fn enter(&mut self, key: ProcessKey, executable: Option<usize>) {
        self.root.get_or_insert(key);
        let before = self.live.insert(key.tgid, Live { key, executable });
        if before.is_none_or(|before| before.key != key) {
            self.count += 1;
        }
    }

    fn place(&mut self, exe: Option<&[u8]>, names: &dyn RunNames) -> Option<usize> {
        match exe {
            Some(exe) => self.executables.place(exe, |exe| names.executable(exe)),
            None => self.executables.place(UNKNOWN.as_bytes(), |_| UNKNOWN.to_owned()),
        }
    }

    /// Who is left when all is over, by program; those are counted among its
    /// processes.
    pub(super) fn leave(&mut self, is_there: impl Fn(ProcessKey) -> bool) -> BTreeMap<String, u64> {
        let mut left = BTreeMap::new();
        let live = std::mem::take(&mut self.live);
        for Live { executable, .. } in live.into_values().filter(|live| is_there(live.key)) {
            let name = executable.and_then(|place| self.executables.name_of(place));
            *left.entry(name.unwrap_or(UNKNOWN).to_owned()).or_default() += 1;
            if let Some(executable) = executable.and_then(|place| self.executables.row(place)) {
                executable.row.processes += 1;
            }
        }
        left
    }

    /// The programs' rows, and the execs of those that have none.
    pub(super) fn listed(&self, max: usize) -> (BTreeMap<String, RunExecutable>, u64) {
        let (listed, rest) = self.executables.listed(max, |executable| executable.row.execs);
        let unlisted: u64 = rest.iter().map(|executable| executable.row.execs).sum();
        let row = |of: Executable| RunExecutable {
            cpu_ns: of.cpu.known().filter(|_| of.row.processes > 0),
            ..of.row
        };
        let listed = listed.into_iter().map(|(name, of)| (name, row(of))).collect();
        (listed, self.unlisted_execs.saturating_add(unlisted))
    }

    pub(super) const fn root(&self) -> Option<ProcessKey> {
        self.root
    }

    pub(super) fn left(&self) -> impl Iterator<Item = ProcessKey> {
        self.live.values().map(|live| live.key)
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) const fn execs(&self) -> u64 {
        self.execs
    }

    pub(super) fn failed_exits(&self) -> u64 {
        self.exits.iter().filter(|(code, _)| **code != 0).map(|(_, count)| count).sum()
    }

    pub(super) fn signals(&self) -> BTreeMap<String, u64> {
        let name = |(signal, count): (&u32, &u64)| (SignalNumber(*signal).to_string(), *count);
        self.signals.iter().map(name).collect()
    }

    pub(super) fn endings(&self) -> BTreeMap<String, u64> {
        let exits = self.exits.iter();
        let exits = exits.map(|(code, count)| (Ending::Exited { code: *code }.name(), *count));
        exits.chain(self.signals()).collect()
    }

    pub(super) const fn peak_rss_bytes(&self) -> Option<u64> {
        self.peak_rss_bytes
    }

    pub(super) const fn peak_threads(&self) -> Option<u64> {
        self.peak_threads
    }

    /// Of those that have ended.
    pub(super) const fn cpu_ns(&self) -> Option<u64> {
        self.cpu.known()
    }
}
