//! Processes as events speak of them.

use serde::{Deserialize, Serialize};

/// One process for ever: PIDs are used again, a PID with a start time is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessKey {
    /// Process id in the initial PID namespace.
    pub tgid: u32,
    /// Start on the boot clock, in nanoseconds.
    pub start_time: u64,
}

/// The process that an event happened to, as it was at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process<'a> {
    /// Which process.
    pub key: ProcessKey,
    /// The thread, where the event belongs to one.
    pub tid: Option<u32>,
    /// Its parent's process id.
    pub ppid: Option<u32>,
    /// Real user id in the initial user namespace.
    pub uid: Option<u32>,
    /// Its name, at most 15 bytes, not always UTF-8.
    pub comm: Option<&'a [u8]>,
    /// Path of its cgroup below the hierarchy's root.
    pub cgroup_path: Option<&'a [u8]>,
    /// Why the kernel counts its files where it does not count everybody's.
    pub watch: Watch,
}

/// Why the kernel counts a process' files where it does not count everybody's,
/// as it knew at that moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// `--pid` asked for it or an ancestor of it.
    pub in_tree: bool,
    /// Its persona was asked for, or is not decided yet.
    pub is_candidate: bool,
    /// The kernel's own value, for who changes it.
    pub value: u32,
}
