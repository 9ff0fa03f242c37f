//! What the task iterator tells: each process as it is now, and the threads
//! beside its leader, one by one.
//!
//! The kernel keeps what a process used in two places: of threads that are gone
//! added up in `signal_struct`, of the others in their own `task_struct`. The
//! iterator comes to every thread anyway, so each tells its own, and userspace
//! adds up: exact for any number of threads, and no list is walked.

use crate::RecordHeader;

/// The process has waited for children, whose writes the kernel has added to
/// its own, as /proc/PID/io does.
pub const TASK_HAD_CHILDREN: u32 = 1;

/// What was used. Every figure may be [`crate::UNKNOWN_U64`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Usage {
    /// CPU time in ns, as the scheduler measures it (`sum_exec_runtime`). It
    /// settles a running thread's at each tick.
    pub cpu_ns: u64,
    /// Time in user mode in ns, as the kernel has counted it: by ticks on most
    /// machines, so `user_ns` and `system_ns` need not add up to `cpu_ns`.
    pub user_ns: u64,
    /// Time in the kernel in ns, likewise.
    pub system_ns: u64,
    /// `ioac.syscw`: write system calls, successful or not.
    pub write_calls: u64,
    /// `ioac.wchar`: bytes that write system calls took.
    pub written_bytes: u64,
}

/// A process.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TaskRecord {
    /// Speaks of the process; `tid` is its leader.
    pub header: RecordHeader,
    /// Of its leader and of the threads that are gone.
    pub usage: Usage,
    /// Anonymous resident pages (`MM_ANONPAGES`), or [`crate::UNKNOWN_U64`]:
    /// kernel threads and processes that have ended have no memory of their
    /// own. From Linux 6.2 on the kernel counts per CPU, and this is what it
    /// has added up: behind by fewer than 32 pages, or twice the number of
    /// CPUs, for each CPU.
    pub anon_rss_pages: u64,
    /// File-backed resident pages (`MM_FILEPAGES`), likewise.
    pub file_rss_pages: u64,
    /// Shared-memory resident pages (`MM_SHMEMPAGES`), likewise.
    pub shmem_rss_pages: u64,
    /// `signal->nr_threads`, the leader included, or [`crate::UNKNOWN_U32`].
    pub threads: u32,
    /// Open descriptors, or [`crate::UNKNOWN_U32`], as for a table of more
    /// than 4096.
    pub open_files: u32,
    /// `signal->oom_score_adj`, -1000 to 1000, or [`i32::MAX`] for unknown.
    pub oom_score_adj: i32,
    /// `TASK_*` flags.
    pub flags: u32,
}

const _: () = assert!(size_of::<TaskRecord>() == 72 + 40 + 24 + 16);

/// A thread that is not its process' leader. Begins like every record, and is
/// short, since there are many.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ThreadRecord {
    /// [`crate::ABI_VERSION`].
    pub abi: u16,
    /// [`crate::Kind::Thread`].
    pub kind: u16,
    /// Length of the record in bytes.
    pub len: u32,
    /// Its process.
    pub tgid: u32,
    /// Itself.
    pub tid: u32,
    /// When its process started, as in a header.
    pub start_time: u64,
    /// What it used so far.
    pub usage: Usage,
}

const _: () = assert!(size_of::<ThreadRecord>() == 24 + 40);
