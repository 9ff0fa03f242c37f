//! What there is to know about the running kernel: its version, the layout of
//! its structures, what this process may do, and which BPF features work.

pub mod btf;
pub mod capability;
pub mod cgroup;
pub mod clock;
pub mod facts;
pub mod file_watch;
pub mod machine;
pub mod process;
pub mod symbol;
pub mod syscall;
