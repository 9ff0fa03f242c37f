//! The record of a process' end, written when its last thread ends.

use crate::RecordHeader;

/// More threads were still on the process' list than the program walks, or
/// the list changed under it each time: CPU time and writes are incomplete.
pub const EXIT_THREADS_TRUNCATED: u32 = 1;
/// This kernel keeps no I/O accounting (CONFIG_TASK_XACCT is off).
pub const EXIT_IO_UNKNOWN: u32 = 2;

/// The writes are of threads that ended while the tracer ran, and of those
/// that were left at the end: complete only for a process that began then.
pub const EXIT_WRITES_SINCE_START: u32 = 4;

/// How a process ended and what it used in its whole life.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ExitRecord {
    /// Speaks of the process that ended; `tid` is the thread that ended last.
    pub header: RecordHeader,
    /// Wait status as wait4(2) would report it: signal in the low seven bits,
    /// core flag 0x80, exit code above.
    pub wait_status: u32,
    /// `EXIT_*` flags.
    pub flags: u32,
    /// CPU time of all threads in ns (`sum_exec_runtime`, include/linux/sched.h).
    /// The scheduler settles it at ticks and switches, so it lags by up to a
    /// tick, and is 0 for a process that ended before the first.
    pub cpu_ns: u64,
    /// `signal->maxrss`: highest resident set in pages; 0 where the process
    /// never had an address space.
    pub peak_rss_pages: u64,
    /// `ioac.syscw` of all threads: write system calls, successful or not. Not
    /// those of children.
    pub write_calls: u64,
    /// `ioac.wchar` of all threads: bytes that write system calls took.
    pub written_bytes: u64,
    /// Threads that it had when it began to end, or [`crate::UNKNOWN_U32`].
    pub threads: u32,
    /// Descriptors that were open when its last thread ended, or
    /// [`crate::UNKNOWN_U32`].
    pub open_files: u32,
}

const _: () = assert!(size_of::<ExitRecord>() == 72 + 48);
