//! What there is to know about the running kernel: its version, the layout of
//! its structures, what this process may do, and which BPF features work.

pub mod btf;
pub mod capability;
pub mod cgroup;
pub mod clock;
pub mod cpu_limit;
pub mod cpu_time;
pub mod facts;
pub mod file_content;
pub mod file_system;
pub mod file_watch;
pub mod group;
pub mod held;
pub mod local_socket;
pub mod log;
pub mod machine;
pub mod mapping;
pub mod memory_limit;
pub mod namespace;
pub mod open_files;
pub mod open_files_limit;
pub mod own_usage;
pub mod pci;
pub mod pidfd;
pub mod process;
pub mod program_stats;
pub mod service;
pub mod signals;
pub mod suspend;
pub mod symbol;
pub mod syscall;
pub mod tracefs;
pub mod user;
