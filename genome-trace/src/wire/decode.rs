//! Records, one by one.

use std::{fmt, mem::offset_of};

use genome_trace_common::{
    ABI_VERSION, COUNT_UNLINK, CgroupRecord, EXEC_ARGV_TRUNCATED, EXEC_ARGV_UNREADABLE,
    EXEC_ENVIRONMENT_TRUNCATED, EXEC_ENVIRONMENT_UNREADABLE, EXIT_IO_UNKNOWN,
    EXIT_THREADS_TRUNCATED, EXIT_WRITES_SINCE_START, ExecRecord, ExitRecord, FileCount, FileKey,
    FileRecord, Kind, OomRecord, RecordHeader, SIGNAL_SENDER_KNOWN, SignalRecord, UNKNOWN_U32,
    UNKNOWN_U64, WATCH_CANDIDATE, WATCH_TREE,
};

use super::{
    path,
    read::{split_len, split_prefix},
};
use crate::model::{
    Argv, Ending, Event, Exec, Exit, FileCreate, FileUnlink, FileWrite, MemoryConstraint, OomKill,
    Payload, Process, ProcessKey, Signal, SignalNumber, UserStack, WallTime, Watch,
};

/// What a record refers to and does not carry.
pub trait Surroundings {
    /// The wall time of a moment on the boot clock.
    fn wall_time(&self, ktime_ns: u64) -> WallTime;
    /// The path of a cgroup.
    fn cgroup_path(&self, id: u64) -> Option<&[u8]>;
    /// What ran out, from the kernel stack of the process that called the OOM
    /// killer.
    fn oom_constraint(&self, stack: &[u64]) -> Option<MemoryConstraint>;
    /// Size of a page in bytes.
    fn page_size(&self) -> u64;
    /// Since when everything has been seen, on the boot clock.
    fn tracing_since(&self) -> u64;
}

/// Why a record cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// It is of another version: binary and BPF object do not belong together.
    Version(u16),
    /// It is of a kind that this build does not know.
    Kind(u16),
    /// It is shorter than it says, or than its kind is.
    Length(u16),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => {
                write!(f, "a record has version {version}, this build reads {ABI_VERSION}")
            }
            Self::Kind(kind) => write!(f, "a record has the unknown kind {kind}"),
            Self::Length(kind) => write!(f, "a record of kind {kind} is too short"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// What a record turned out to be. Made and taken apart on the stack, so its
/// size costs nothing, and a box would cost an allocation an event.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decoded<'a> {
    /// Something to show; for a creation also the name of a counted file.
    Event(Event<'a>, Option<NamedFile>),
    /// The name of a counted file.
    File(NamedFile),
    /// A new cgroup.
    Cgroup {
        /// Its id.
        id: u64,
        /// Which hierarchy it is in; 0 is the unified one.
        hierarchy_id: u32,
        /// Its path.
        path: &'a [u8],
    },
}

/// Which count a record names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// The count.
    pub key: FileKey,
    /// The map that it is in: 0 or 1.
    pub epoch: u32,
}

/// One count taken out of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted<'a> {
    /// Of what.
    pub key: FileKey,
    /// How much.
    pub count: FileCount,
    /// The record that named the file; `None` where it was lost.
    pub record: Option<&'a [u8]>,
    /// When it was taken out, on the boot clock.
    pub ktime_ns: u64,
}

/// Decodes records; holds the room in which paths are put together, so that
/// decoding allocates nothing.
#[derive(Debug, Default)]
pub struct Decoder {
    path: Vec<u8>,
}

impl Decoder {
    /// Reads one record.
    ///
    /// # Errors
    /// Where it is of another version, of an unknown kind or too short.
    pub fn decode<'a>(
        &'a mut self,
        bytes: &'a [u8],
        around: &'a impl Surroundings,
    ) -> Result<Decoded<'a>, DecodeError> {
        let (header, _) = split_prefix::<RecordHeader>(bytes).ok_or(DecodeError::Length(0))?;
        if header.abi != ABI_VERSION {
            return Err(DecodeError::Version(header.abi));
        }
        let kind = Kind::from_number(header.kind).ok_or(DecodeError::Kind(header.kind))?;
        let short = DecodeError::Length(header.kind);
        let bytes =
            usize::try_from(header.len).ok().and_then(|len| bytes.get(..len)).ok_or(short)?;
        self.decode_kind(kind, bytes, around).ok_or(short)
    }

    fn decode_kind<'a>(
        &'a mut self,
        kind: Kind,
        bytes: &'a [u8],
        around: &'a impl Surroundings,
    ) -> Option<Decoded<'a>> {
        let event = |header: &RecordHeader, payload| Event {
            ktime_ns: header.ktime_ns,
            wall_time: around.wall_time(header.ktime_ns),
            process: process(header, bytes, around),
            persona: None,
            persona_root: None,
            payload,
        };
        Some(match kind {
            Kind::Exec => {
                let (record, rest) = split_prefix::<ExecRecord>(bytes)?;
                let payload = Payload::Exec(exec(&record, rest, &mut self.path)?);
                Decoded::Event(event(&record.header, payload), None)
            }
            Kind::Fork => {
                let (header, _) = split_prefix::<RecordHeader>(bytes)?;
                Decoded::Event(event(&header, Payload::Fork), None)
            }
            Kind::Exit => {
                let (record, _) = split_prefix::<ExitRecord>(bytes)?;
                let payload = Payload::Exit(exit(&record, around));
                Decoded::Event(event(&record.header, payload), None)
            }
            Kind::Signal => {
                let (record, rest) = split_prefix::<SignalRecord>(bytes)?;
                let comm_at = offset_of!(SignalRecord, sender_comm);
                let comm = bytes.get(comm_at..comm_at + record.sender_comm.len())?;
                let payload = Payload::Signal(signal(&record, comm, rest, around.page_size()));
                Decoded::Event(event(&record.header, payload), None)
            }
            Kind::OomKill => {
                let (record, _) = split_prefix::<OomRecord>(bytes)?;
                let payload = Payload::OomKill(oom_kill(&record, around));
                Decoded::Event(event(&record.header, payload), None)
            }
            Kind::FileCreate => {
                let (record, rest) = split_prefix::<FileRecord>(bytes)?;
                let path = file_path(&record, rest, &mut self.path)?;
                let payload = Payload::FileCreate(FileCreate {
                    path,
                    path_truncated: path::is_truncated(record.path_flags),
                    device: device(record.key.device),
                    inode: record.key.inode,
                });
                let named = NamedFile { key: record.key, epoch: record.epoch };
                Decoded::Event(event(&record.header, payload), Some(named))
            }
            Kind::FilePath => {
                let (record, _) = split_prefix::<FileRecord>(bytes)?;
                Decoded::File(NamedFile { key: record.key, epoch: record.epoch })
            }
            Kind::CgroupMkdir => {
                let (record, rest) = split_prefix::<CgroupRecord>(bytes)?;
                let (path, _) = split_len(rest, record.path_len)?;
                Decoded::Cgroup { id: record.cgroup_id, hierarchy_id: record.hierarchy_id, path }
            }
            // Counts come out of maps, processes that were there before out of
            // the iterator, never through a ring.
            Kind::FileWrite | Kind::FileUnlink | Kind::Task | Kind::Thread => return None,
        })
    }

    /// Turns a count into an event. A record that cannot be read is one that
    /// was lost: the count stands, the name is unknown.
    pub fn counted<'a>(
        &'a mut self,
        counted: Counted<'a>,
        around: &'a impl Surroundings,
    ) -> Event<'a> {
        let Counted { key, count, record, ktime_ns } = counted;
        let mut process_of = Some(Process {
            key: ProcessKey { tgid: key.tgid, start_time: key.start_time },
            tid: None,
            ppid: None,
            uid: None,
            comm: None,
            cgroup_path: None,
            // Only watched processes are counted where any are.
            watch: Watch { in_tree: true, is_candidate: true, value: 0 },
        });
        let mut path_found = None;
        let mut path_truncated = false;
        if let Some(bytes) = record
            && let Some((record, rest)) = split_prefix::<FileRecord>(bytes)
        {
            process_of = process(&record.header, bytes, around);
            // The count is the process', not the thread's that came first.
            if let Some(process) = &mut process_of {
                process.tid = None;
            }
            path_truncated = path::is_truncated(record.path_flags);
            path_found = file_path(&record, rest, &mut self.path).flatten();
        }
        let payload = if key.counted == COUNT_UNLINK {
            Payload::FileUnlink(FileUnlink {
                path: path_found,
                path_truncated,
                unlink_calls: count.calls,
            })
        } else {
            Payload::FileWrite(FileWrite {
                path: path_found,
                path_truncated,
                device: device(key.device),
                inode: key.inode,
                write_calls: count.calls,
                written_bytes: count.bytes,
            })
        };
        let wall_time = around.wall_time(ktime_ns);
        Event {
            ktime_ns,
            wall_time,
            process: process_of,
            persona: None,
            persona_root: None,
            payload,
        }
    }
}

/// The header's process; names are borrowed from the record's own bytes.
pub(super) fn process<'a>(
    header: &RecordHeader,
    bytes: &'a [u8],
    around: &'a impl Surroundings,
) -> Option<Process<'a>> {
    let comm_at = offset_of!(RecordHeader, comm);
    let comm = bytes.get(comm_at..size_of::<RecordHeader>()).map(until_nul);
    Some(Process {
        key: ProcessKey { tgid: header.tgid, start_time: header.start_time },
        tid: Some(header.tid),
        ppid: (header.ppid != UNKNOWN_U32).then_some(header.ppid),
        uid: (header.uid != UNKNOWN_U32).then_some(header.uid),
        comm,
        cgroup_path: around.cgroup_path(header.cgroup_id),
        watch: Watch {
            in_tree: header.flags & WATCH_TREE != 0,
            is_candidate: header.flags & WATCH_CANDIDATE != 0,
            value: header.flags,
        },
    })
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn exec<'a>(record: &ExecRecord, rest: &'a [u8], room: &'a mut Vec<u8>) -> Option<Exec<'a>> {
    let (components, rest) = split_len(rest, record.path_len)?;
    let (block, rest) = split_len(rest, record.argv_len)?;
    let (environment, _) = split_len(rest, record.environment_len)?;
    let exe = path::build(record.path_flags, components, b"", room).then_some(room.as_slice());
    let argv = (record.flags & EXEC_ARGV_UNREADABLE == 0).then_some(Argv { block });
    Some(Exec {
        exe,
        exe_truncated: path::is_truncated(record.path_flags),
        argv,
        argv_truncated: record.flags & EXEC_ARGV_TRUNCATED != 0,
        environment: (record.flags & EXEC_ENVIRONMENT_UNREADABLE == 0).then_some(environment),
        environment_truncated: record.flags & EXEC_ENVIRONMENT_TRUNCATED != 0,
    })
}

fn exit(record: &ExitRecord, around: &impl Surroundings) -> Exit {
    let page_size = around.page_size();
    let whole = record.flags & EXIT_THREADS_TRUNCATED == 0;
    let since_start = record.flags & EXIT_WRITES_SINCE_START != 0;
    let io_known = whole
        && record.flags & EXIT_IO_UNKNOWN == 0
        && (!since_start || record.header.start_time >= around.tracing_since());
    Exit {
        ending: Ending::from_wait_status(record.wait_status),
        runtime_ns: record.header.ktime_ns.saturating_sub(record.header.start_time),
        // An account that was never settled says 0, which no process used.
        cpu_ns: (whole && record.cpu_ns != 0).then_some(record.cpu_ns),
        peak_rss_bytes: (record.peak_rss_pages != 0)
            .then(|| record.peak_rss_pages.saturating_mul(page_size)),
        write_calls: io_known.then_some(record.write_calls),
        written_bytes: io_known.then_some(record.written_bytes),
        threads: known32(record.threads),
        open_files: known32(record.open_files),
        // The kernel does not know it; the pipeline adds it.
        vram: None,
    }
}

/// A figure, where the kernel side could read it.
pub(super) fn known32(figure: u32) -> Option<u32> {
    (figure != UNKNOWN_U32).then_some(figure)
}

/// Pages as bytes, likewise.
pub(super) fn known_pages(pages: u64, page_size: u64) -> Option<u64> {
    (pages != UNKNOWN_U64).then(|| pages.saturating_mul(page_size))
}

fn signal<'a>(
    record: &SignalRecord,
    comm: &'a [u8],
    frames: &'a [u8],
    page_size: u64,
) -> Signal<'a> {
    let known = record.flags & SIGNAL_SENDER_KNOWN != 0;
    Signal {
        signal: SignalNumber(record.signal),
        code: record.code,
        sender_tgid: known.then_some(record.sender_tgid),
        sender_comm: known.then(|| until_nul(comm)),
        rss_bytes: known_pages(record.rss_pages, page_size),
        threads: known32(record.threads),
        open_files: known32(record.open_files),
        stack: (!frames.is_empty()).then_some(UserStack { block: frames }),
    }
}

fn oom_kill<'a>(record: &OomRecord, around: &'a impl Surroundings) -> OomKill<'a> {
    let page_size = around.page_size();
    let bytes = |pages: u64| known_pages(pages, page_size);
    let depth = usize::try_from(record.stack_len).unwrap_or(usize::MAX);
    let stack = record.stack.get(..depth.min(record.stack.len())).unwrap_or_default();
    OomKill {
        constraint: around.oom_constraint(stack),
        total_vm_bytes: bytes(record.total_vm_pages),
        anon_rss_bytes: bytes(record.anon_rss_pages),
        file_rss_bytes: bytes(record.file_rss_pages),
        shmem_rss_bytes: bytes(record.shmem_rss_pages),
        oom_score_adj: (record.oom_score_adj_known != 0).then_some(record.oom_score_adj),
        memory_cgroup_path: around.cgroup_path(record.memory_cgroup_id),
        memory_limit_bytes: bytes(record.memory_limit_pages),
        memory_usage_bytes: bytes(record.memory_usage_pages),
        invoker_tgid: record.invoker_tgid,
    }
}

/// `None` where the record is too short; `Some(None)` where it has no path.
fn file_path<'a>(
    record: &FileRecord,
    rest: &[u8],
    room: &'a mut Vec<u8>,
) -> Option<Option<&'a [u8]>> {
    let (user, rest) = split_len(rest, record.user_len)?;
    let (components, _) = split_len(rest, record.path_len)?;
    Some(path::build(record.path_flags, components, user, room).then_some(room.as_slice()))
}

/// The kernel's own device number: 12 bits major, 20 bits minor
/// (include/linux/kdev_t.h).
const fn device(device: u32) -> (u32, u32) {
    (device >> 20, device & 0xf_ffff)
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
