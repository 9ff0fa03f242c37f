//! The records that the BPF programs write and userspace reads, and the
//! constants that userspace hands to the programs before they are loaded.
//!
//! Both sides are built from this one description, so the layout is stated
//! once: each type is `#[repr(C)]`, has no padding, and asserts its size.
#![no_std]

mod cgroup;
mod exec;
mod exit;
mod file;
mod header;
mod kernel;
mod oom;
mod signal;
mod stderr;
mod task;

pub use cgroup::CgroupRecord;
pub use exec::{
    EXEC_ARGV_MAX, EXEC_ARGV_TRUNCATED, EXEC_ARGV_UNREADABLE, EXEC_ENVIRONMENT_MAX,
    EXEC_ENVIRONMENT_TRUNCATED, EXEC_ENVIRONMENT_UNREADABLE, ExecRecord,
};
pub use exit::{EXIT_IO_UNKNOWN, EXIT_THREADS_TRUNCATED, EXIT_WRITES_SINCE_START, ExitRecord};
pub use file::{
    COUNT_UNLINK, COUNT_WRITE, FileCount, FileKey, FileRecord, HOT_LINES, HOT_TABLES, HotCount,
    PATH_ABSOLUTE, PATH_DEPTH_MAX, PATH_MAX, PATH_TRUNCATED, PATH_UNKNOWN, PATH_USER,
};
pub use header::{
    ABI_VERSION, COMM_LEN, Kind, LostCounts, MARK_STDERR, MARK_WATCHED, RecordHeader, WATCH_BLOCK,
    WATCH_CANDIDATE, WATCH_MARK, WATCH_TREE,
};
pub use kernel::{
    ABSENT, CAST_PLACEHOLDER, KernelFacts, Offset, ProgramConfig, SYSCALL_OPENS, SYSCALL_UNLINKS,
    SYSCALL_UNLINKS_AT, SYSCALL_WRITES_ARG0, SYSCALL_WRITES_ARG2, SYSCALLS_MAX, SyscallActs,
};
pub use oom::{OOM_STACK_DEPTH, OomRecord, UNKNOWN_U32, UNKNOWN_U64};
pub use signal::{
    SIGNAL_SENDER_KNOWN, SignalRecord, USER_FRAME_BUILD_ID_LEN, USER_FRAME_LEN,
    USER_FRAME_STATUS_LEN, USER_FRAMES_MAX,
};
pub use stderr::{STDERR_TAIL, STDERR_WRITE_MAX, StderrTail};
pub use task::{TASK_HAD_CHILDREN, TaskRecord, ThreadRecord, Usage};
