//! What is kept of a process while it lives, in case that it crashes.

use std::{collections::VecDeque, rc::Rc};

use crate::model::{
    Exec, MemoryConstraint, OomKill, Payload, Process, ProcessKey, Signal, SignalNumber,
};

/// Of a path so many bytes are kept, its end.
const PATH_KEPT: usize = 256;
/// Of arguments so many bytes are kept, their beginning.
const ARGV_KEPT: usize = 4096;
/// Files that are kept of a process: the last ones that it wrote to.
const FILES_KEPT: usize = 10;
/// Signals that are kept of a process: one of each number, the first ones.
const SIGNALS_KEPT: usize = 4;
/// One that execs so soon after it began was seen from its beginning.
const BEGINNING_NS: u64 = 1_000_000_000;

/// A process that is kept in mind.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) key: ProcessKey,
    pub(super) ppid: Option<u32>,
    comm: Option<Comm>,
    /// In memory once for a process and those that it forked.
    pub(super) program: Option<Rc<Program>>,
    signals: Vec<HeardSignal>,
    pub(super) oom: Option<Box<HeardOom>>,
    pub(super) files: HeardFiles,
}

/// A name without memory of its own.
#[derive(Clone, Copy, Debug)]
struct Comm {
    bytes: [u8; 16],
    len: usize,
}

/// What a process runs.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) exe: Option<Box<[u8]>>,
    pub(super) argv: Option<Box<[u8]>>,
    pub(super) argv_truncated: bool,
}

/// A signal that was to end a process.
#[derive(Clone, Debug)]
pub(super) struct HeardSignal {
    pub(super) ktime_ns: u64,
    pub(super) signal: SignalNumber,
    pub(super) code: i32,
    pub(super) sender_tgid: Option<u32>,
    pub(super) sender_comm: Option<Box<[u8]>>,
    pub(super) rss_bytes: Option<u64>,
    pub(super) threads: Option<u32>,
    pub(super) open_files: Option<u32>,
}

/// The OOM killer's choice.
#[derive(Clone, Debug)]
pub(super) struct HeardOom {
    pub(super) ktime_ns: u64,
    pub(super) constraint: Option<MemoryConstraint>,
    pub(super) total_vm_bytes: Option<u64>,
    pub(super) anon_rss_bytes: Option<u64>,
    pub(super) file_rss_bytes: Option<u64>,
    pub(super) shmem_rss_bytes: Option<u64>,
    pub(super) oom_score_adj: Option<i32>,
    pub(super) memory_cgroup_path: Option<Box<[u8]>>,
    pub(super) memory_limit_bytes: Option<u64>,
    pub(super) memory_usage_bytes: Option<u64>,
    pub(super) invoker_tgid: u32,
}

/// Files that were heard of.
#[derive(Debug, Default)]
pub(super) struct HeardFiles {
    pub(super) created: u64,
    pub(super) since_start: bool,
    /// The latest last.
    pub(super) last: VecDeque<Box<[u8]>>,
}

impl Subject {
    pub(super) fn new(process: &Process<'_>) -> Self {
        Self {
            key: process.key,
            ppid: process.ppid,
            comm: process.comm.map(Comm::new),
            program: None,
            signals: Vec::new(),
            oom: None,
            files: HeardFiles::default(),
        }
    }

    /// What an event says of the process itself.
    pub(super) fn refresh(&mut self, process: &Process<'_>) {
        self.ppid = process.ppid.or(self.ppid);
        self.comm = process.comm.map(Comm::new).or(self.comm);
    }

    pub(super) fn comm(&self) -> Option<&[u8]> {
        self.comm.as_ref().and_then(|comm| comm.bytes.get(..comm.len))
    }

    pub(super) fn executed(&mut self, exec: &Exec<'_>, ktime_ns: u64, is_new: bool) {
        let argv = exec.argv.map(|argv| argv.block);
        self.program = Some(Rc::new(Program {
            exe: exec.exe.map(|exe| end_of(exe, exec.exe_truncated)),
            argv: argv.map(|block| block.get(..ARGV_KEPT).unwrap_or(block).into()),
            argv_truncated: exec.argv_truncated
                || argv.is_some_and(|block| block.len() > ARGV_KEPT),
        }));
        if is_new {
            self.files.since_start = ktime_ns.saturating_sub(self.key.start_time) <= BEGINNING_NS;
        }
    }

    /// The first of its number is the one that ends the process: the next ones
    /// find it dying.
    pub(super) fn signalled(&mut self, signal: &Signal<'_>, ktime_ns: u64) {
        let is_known = self.signals.iter().any(|heard| heard.signal == signal.signal);
        if is_known || self.signals.len() == SIGNALS_KEPT {
            return;
        }
        self.signals.push(HeardSignal {
            ktime_ns,
            signal: signal.signal,
            code: signal.code,
            sender_tgid: signal.sender_tgid,
            sender_comm: signal.sender_comm.map(|comm| Comm::new(comm).bytes().into()),
            rss_bytes: signal.rss_bytes,
            threads: signal.threads,
            open_files: signal.open_files,
        });
    }

    pub(super) fn signal(&self, signal: SignalNumber) -> Option<&HeardSignal> {
        self.signals.iter().find(|heard| heard.signal == signal)
    }

    pub(super) fn chosen(&mut self, oom: &OomKill<'_>, ktime_ns: u64) {
        self.oom = Some(Box::new(HeardOom {
            ktime_ns,
            constraint: oom.constraint,
            total_vm_bytes: oom.total_vm_bytes,
            anon_rss_bytes: oom.anon_rss_bytes,
            file_rss_bytes: oom.file_rss_bytes,
            shmem_rss_bytes: oom.shmem_rss_bytes,
            oom_score_adj: oom.oom_score_adj,
            memory_cgroup_path: oom.memory_cgroup_path.map(|path| end_of(path, false)),
            memory_limit_bytes: oom.memory_limit_bytes,
            memory_usage_bytes: oom.memory_usage_bytes,
            invoker_tgid: oom.invoker_tgid,
        }));
    }
}

impl HeardFiles {
    /// Takes in what is told of a file; whether it was a file that was created
    /// or written.
    pub(super) fn hear(&mut self, payload: &Payload<'_>) -> bool {
        match payload {
            Payload::FileCreate(_) => self.created += 1,
            Payload::FileWrite(write) => match write.path {
                Some(path) => self.wrote(path, write.path_truncated),
                None => return false,
            },
            _ => return false,
        }
        true
    }

    fn wrote(&mut self, path: &[u8], is_truncated: bool) {
        let kept = kept(path);
        let is_cut = is_truncated || kept.len() < path.len();
        if let Some(index) = self.last.iter().position(|have| is_same(have, kept, is_cut)) {
            if let Some(path) = self.last.remove(index) {
                self.last.push_back(path);
            }
            return;
        }
        if self.last.len() == FILES_KEPT {
            self.last.pop_front();
        }
        self.last.push_back(end_of(path, is_truncated));
    }
}

impl Comm {
    fn new(name: &[u8]) -> Self {
        let mut bytes = [0; 16];
        let len = name.len().min(bytes.len());
        for (to, from) in bytes.iter_mut().zip(name) {
            *to = *from;
        }
        Self { bytes, len }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Stands for what was cut off.
const CUT: &[u8] = "…".as_bytes();

fn kept(path: &[u8]) -> &[u8] {
    path.len().checked_sub(PATH_KEPT).and_then(|from| path.get(from..)).unwrap_or(path)
}

/// The end of a path, with a mark where that is not all of it.
fn end_of(path: &[u8], is_truncated: bool) -> Box<[u8]> {
    let kept = kept(path);
    if is_truncated || kept.len() < path.len() { [CUT, kept].concat().into() } else { kept.into() }
}

fn is_same(have: &[u8], kept: &[u8], is_cut: bool) -> bool {
    if is_cut { have.strip_prefix(CUT) == Some(kept) } else { have == kept }
}

/// Bytes as text; what is not UTF-8 is replaced.
pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ten_files_the_latest_last_each_once() {
        let mut files = HeardFiles::default();
        for number in 0..12 {
            files.wrote(format!("/f{number}").as_bytes(), false);
        }
        files.wrote(b"/f5", false);
        let last: Vec<_> = files.last.iter().map(|path| lossy(path)).collect();
        assert_eq!(last, ["/f2", "/f3", "/f4", "/f6", "/f7", "/f8", "/f9", "/f10", "/f11", "/f5"]);
    }

    #[test]
    fn of_a_long_path_the_end_is_kept_and_it_is_marked() {
        let mut files = HeardFiles::default();
        let long = format!("{}/end", "x".repeat(PATH_KEPT));
        files.wrote(long.as_bytes(), false);
        files.wrote(long.as_bytes(), false);
        files.wrote(b"cut", true);
        let last: Vec<_> = files.last.iter().map(|path| lossy(path)).collect();
        assert_eq!(last.len(), 2);
        let first = last.first().unwrap();
        assert!(first.starts_with('…') && first.ends_with("/end"), "{first}");
        assert_eq!(last.last().unwrap(), "…cut");
    }
}
