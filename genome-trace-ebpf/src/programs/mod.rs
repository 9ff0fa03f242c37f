//! The entries: which hook calls what.

mod cgroup;
mod exec;
mod exit;
mod fexit;
mod fork;
mod io_uring;
mod kprobe;
mod oom;
mod per_call;
mod signal;
mod syscall;
mod task;
