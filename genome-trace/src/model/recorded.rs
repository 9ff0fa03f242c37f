//! What a store tells of processes and of the recorder itself.

use super::{Ending, Persona, ProcessKey, WallTime};

/// A stretch of wall time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// The first moment that belongs to it.
    pub from: WallTime,
    /// The first moment that does not.
    pub until: WallTime,
}

impl TimeRange {
    /// All of time but its last nanosecond.
    pub const ALL: Self =
        Self { from: WallTime { unix_ns: i64::MIN }, until: WallTime { unix_ns: i64::MAX } };
}

/// A process as a store knows it, with the facts that it had last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessRecord {
    /// Which.
    pub key: ProcessKey,
    /// Its parent's process id.
    pub ppid: Option<u32>,
    /// Real user id in the initial user namespace.
    pub uid: Option<u32>,
    /// Whose it was.
    pub persona: Option<Persona>,
    /// Its name.
    pub comm: Option<Box<[u8]>>,
    /// Path of its cgroup below the hierarchy's root.
    pub cgroup_path: Option<Box<[u8]>>,
    /// Path of its executable.
    pub exe: Option<Box<[u8]>>,
    /// Its arguments: NUL-separated bytes, see [`super::Argv`].
    pub argv: Option<Box<[u8]>>,
    /// When it began.
    pub started: Option<WallTime>,
    /// When it ended; `None` where that was not seen, perhaps since it lives.
    pub ended: Option<WallTime>,
    /// How it ended.
    pub ending: Option<Ending>,
}

impl ProcessRecord {
    /// A process of which nothing else is known.
    #[must_use]
    pub const fn unknown(key: ProcessKey) -> Self {
        Self {
            key,
            ppid: None,
            uid: None,
            persona: None,
            comm: None,
            cgroup_path: None,
            exe: None,
            argv: None,
            started: None,
            ended: None,
            ending: None,
        }
    }
}

/// A stretch of time in which one recorder ran and wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecorderRun {
    /// When it began.
    pub from: WallTime,
    /// When it was known to be alive last.
    pub until: WallTime,
    /// Whether it ended by itself, and not by a kill or a power loss. `false`
    /// while it runs.
    pub ended_orderly: bool,
}
