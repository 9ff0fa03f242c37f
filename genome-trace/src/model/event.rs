//! Events. They borrow from the buffer that they were decoded from, so that
//! the way from a ring to a sink allocates nothing; whoever keeps one copies
//! what it needs.

use super::{
    Alert, Ending, EventKind, GpuName, Lost, Persona, Process, ProcessKey, SignalNumber, UserStack,
    VramAtDeath, WallTime, Watch, XidMeaning,
};

/// Something that happened, to one process (or, for `lost`, to us).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event<'a> {
    /// When, on the boot clock, in nanoseconds.
    pub ktime_ns: u64,
    /// When, on the wall clock.
    pub wall_time: WallTime,
    /// To whom; `None` for `lost`, and for an XID error that nobody is known to
    /// have caused.
    pub process: Option<Process<'a>>,
    /// Whose that process was; `None` where nothing says.
    pub persona: Option<&'a Persona>,
    /// The process that the persona was decided on: that process, or the
    /// ancestor that it has the persona from. `None` where there is no persona,
    /// and for an event that comes out of a store.
    pub persona_root: Option<ProcessKey>,
    /// What.
    pub payload: Payload<'a>,
}

impl Event<'_> {
    /// Whether it happened to a persona's process, or to no process at all.
    #[must_use]
    pub const fn is_somebodys(&self) -> bool {
        self.persona.is_some() || self.process.is_none()
    }

    /// Whether it happened to a persona's process, or to one of the tree that was
    /// asked for: those are the ones of which everything is kept. A count whose
    /// record was lost may be of either, or, where everybody is watched, of
    /// nobody.
    #[must_use]
    pub fn is_of_interest(&self) -> bool {
        let is_in_tree = |watch: Watch| watch.in_tree && !watch.is_candidate;
        self.persona.is_some() || self.process.is_some_and(|process| is_in_tree(process.watch))
    }

    /// The kind of the payload.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self.payload {
            Payload::Exec(_) => EventKind::Exec,
            Payload::Fork => EventKind::Fork,
            Payload::Exit(_) => EventKind::Exit,
            Payload::Signal(_) => EventKind::Signal,
            Payload::OomKill(_) => EventKind::OomKill,
            Payload::FileCreate(_) => EventKind::FileCreate,
            Payload::FileWrite(_) => EventKind::FileWrite,
            Payload::FileUnlink(_) => EventKind::FileUnlink,
            Payload::GpuXid(_) => EventKind::GpuXid,
            Payload::VramSpike(_) => EventKind::VramSpike,
            Payload::Alert(_) => EventKind::Alert,
            Payload::Lost(_) => EventKind::Lost,
        }
    }
}

/// What happened. What could not be observed is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Payload<'a> {
    /// A process ran a new program.
    Exec(Exec<'a>),
    /// A process was created; the event speaks of the child.
    Fork,
    /// A process ended.
    Exit(Exit),
    /// A signal that ends the process.
    Signal(Signal<'a>),
    /// The OOM killer chose the process.
    OomKill(OomKill<'a>),
    /// An open created a file.
    FileCreate(FileCreate<'a>),
    /// Writes to one file since the last such event.
    FileWrite(FileWrite<'a>),
    /// Unlinks of one path since the last such event.
    FileUnlink(FileUnlink<'a>),
    /// A GPU's driver reported an error.
    GpuXid(GpuXid<'a>),
    /// A process suddenly holds far more GPU memory than it used to.
    VramSpike(VramSpike<'a>),
    /// Something is wrong with somebody, got worse, or is over.
    Alert(&'a Alert),
    /// Events that were lost since the last such event.
    Lost(Lost),
}

/// A process ran a new program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exec<'a> {
    /// Path of the executable as the kernel resolved it.
    pub exe: Option<&'a [u8]>,
    /// The path's upper end was cut off.
    pub exe_truncated: bool,
    /// Its arguments.
    pub argv: Option<Argv<'a>>,
    /// There were more arguments than the record carries.
    pub argv_truncated: bool,
    /// Its environment, NUL-separated assignments. Never shown: it may hold
    /// secrets.
    pub environment: Option<&'a [u8]>,
    /// There was more of it than the record carries.
    pub environment_truncated: bool,
}

/// An argument vector: NUL-separated bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argv<'a> {
    /// The block as it lies in the process, its last NUL included or cut off.
    pub block: &'a [u8],
}

impl<'a> Argv<'a> {
    /// The arguments one by one.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let block = self.block.strip_suffix(b"\0").unwrap_or(self.block);
        let empty = self.block.is_empty();
        block.split(|byte| *byte == 0).filter(move |_| !empty)
    }
}

/// A process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// By a code or a signal.
    pub ending: Ending,
    /// From its start to its end.
    pub runtime_ns: u64,
    /// CPU time of all its threads.
    pub cpu_ns: Option<u64>,
    /// Highest resident set that it ever had.
    pub peak_rss_bytes: Option<u64>,
    /// Write system calls in its whole life, before the tracer too.
    pub write_calls: Option<u64>,
    /// Bytes that those calls took.
    pub written_bytes: Option<u64>,
    /// Threads that it had when it began to end.
    pub threads: Option<u32>,
    /// Descriptors that were open at its end.
    pub open_files: Option<u32>,
    /// GPU memory when it was last looked at; `None` where nobody looked while
    /// the process lived.
    pub vram: Option<VramAtDeath>,
}

/// A signal that ends its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal<'a> {
    /// Which.
    pub signal: SignalNumber,
    /// `si_code` (sigaction(2)): who raised it, and why.
    pub code: i32,
    /// The process that sent it; `None` where the kernel raised it.
    pub sender_tgid: Option<u32>,
    /// That process' name.
    pub sender_comm: Option<&'a [u8]>,
    /// The receiver's resident memory.
    pub rss_bytes: Option<u64>,
    /// Its threads.
    pub threads: Option<u32>,
    /// Its open descriptors.
    pub open_files: Option<u32>,
    /// Where the receiver was when it took the signal. Of faults only: those
    /// whose default action is to dump core, but for SIGQUIT.
    pub stack: Option<UserStack<'a>>,
}

/// What ran out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryConstraint {
    /// A memory cgroup reached its limit.
    Memcg,
    /// The machine did.
    Global,
}

/// The OOM killer's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OomKill<'a> {
    /// What ran out.
    pub constraint: Option<MemoryConstraint>,
    /// Virtual size.
    pub total_vm_bytes: Option<u64>,
    /// Anonymous resident memory.
    pub anon_rss_bytes: Option<u64>,
    /// File-backed resident memory.
    pub file_rss_bytes: Option<u64>,
    /// Resident shared memory.
    pub shmem_rss_bytes: Option<u64>,
    /// The process' own adjustment, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
    /// Path of the memory cgroup that the limit belongs to.
    pub memory_cgroup_path: Option<&'a [u8]>,
    /// Its limit.
    pub memory_limit_bytes: Option<u64>,
    /// Its usage at that moment.
    pub memory_usage_bytes: Option<u64>,
    /// The process whose allocation failed.
    pub invoker_tgid: u32,
}

/// An open created a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileCreate<'a> {
    /// Full path in the mount namespace of the process.
    pub path: Option<&'a [u8]>,
    /// The path's upper end was cut off.
    pub path_truncated: bool,
    /// Device, `major:minor`.
    pub device: (u32, u32),
    /// Inode number.
    pub inode: u64,
}

/// Writes to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileWrite<'a> {
    /// Full path in the mount namespace of the process.
    pub path: Option<&'a [u8]>,
    /// The path's upper end was cut off.
    pub path_truncated: bool,
    /// Device, `major:minor`.
    pub device: (u32, u32),
    /// Inode number.
    pub inode: u64,
    /// Calls that succeeded.
    pub write_calls: u64,
    /// Bytes that they wrote.
    pub written_bytes: u64,
}

/// Unlinks of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileUnlink<'a> {
    /// Full path in the mount namespace of the process.
    pub path: Option<&'a [u8]>,
    /// The path's upper end was cut off.
    pub path_truncated: bool,
    /// Calls that succeeded.
    pub unlink_calls: u64,
}

/// How an XID error was tied to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XidTie {
    /// The driver named it.
    Driver,
    /// It alone held memory on that GPU.
    SoleHolder,
}

impl XidTie {
    /// As in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::SoleHolder => "sole_holder",
        }
    }
}

/// An error that a GPU's driver reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuXid<'a> {
    /// The error's number; `None` where the driver has lost it.
    pub xid: Option<u32>,
    /// What that means, where NVIDIA says.
    pub meaning: Option<&'static XidMeaning>,
    /// On which GPU; one that is lost may no longer tell which it is.
    pub gpu: GpuName<'a>,
    /// What ties it to the event's process; `None` where nothing does.
    pub tie: Option<XidTie>,
    /// The process that the driver named.
    pub driver_tgid: Option<u32>,
    /// The name that the driver had for it.
    pub driver_comm: Option<&'a [u8]>,
    /// The driver's own words, from the kernel's log.
    pub message: Option<&'a [u8]>,
    /// GPU memory that the event's process held when it was last looked at.
    pub vram_bytes: Option<u64>,
}

/// A process suddenly holds far more GPU memory than it used to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VramSpike<'a> {
    /// What it holds now, on all GPUs.
    pub vram_bytes: u64,
    /// What it used to hold: the median of the looks before.
    pub baseline_bytes: u64,
    /// How many looks those were.
    pub baseline_looks: u64,
    /// From the first of them to now.
    pub window_ns: u64,
    /// The GPU on which it holds the most.
    pub gpu: GpuName<'a>,
    /// What all processes hold on that GPU.
    pub gpu_used_bytes: Option<u64>,
    /// What that GPU has.
    pub gpu_total_bytes: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::Argv;

    fn words(block: &[u8]) -> Vec<&[u8]> {
        Argv { block }.iter().collect()
    }

    #[test]
    fn arguments_are_split_at_nul_and_empty_ones_are_kept() {
        assert_eq!(words(b"a\0b c\0"), [b"a".as_slice(), b"b c"]);
        assert_eq!(words(b"a\0\0b\0"), [b"a".as_slice(), b"", b"b"]);
        assert_eq!(words(b"cut of"), [b"cut of".as_slice()]);
        assert_eq!(words(b"\0"), [b"".as_slice()]);
        assert!(words(b"").is_empty());
    }
}
