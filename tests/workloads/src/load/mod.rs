//! The workloads, one family a file. Each takes its arguments and gives the
//! facts of what it did.

pub(crate) mod churn;
pub(crate) mod crash;
pub(crate) mod create_files;
pub(crate) mod exit_storm;
pub(crate) mod go_wrong;
pub(crate) mod json_loop;
pub(crate) mod kill_victim;
pub(crate) mod memfd;
mod memory_cgroup;
pub(crate) mod mixed;
pub(crate) mod occupy;
pub(crate) mod oom;
mod pace;
pub(crate) mod paced;
pub(crate) mod pid_reuse;
mod scratch;
pub(crate) mod spawn_storm;
pub(crate) mod syscall_storm;
pub(crate) mod threads;
pub(crate) mod touch;
pub(crate) mod tree;
pub(crate) mod unlink;
pub(crate) mod vram;
mod write_calls;
pub(crate) mod write_storm;
