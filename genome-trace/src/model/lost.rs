//! Loss: what the kernel side saw and could not hand over.

/// How many of each kind were lost. Nothing is lost silently: whoever makes
/// such a value from the kernel's counters shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Execs.
    pub exec: u64,
    /// Forks.
    pub fork: u64,
    /// Exits.
    pub exit: u64,
    /// Signals.
    pub signal: u64,
    /// OOM kills.
    pub oom_kill: u64,
    /// File creations.
    pub file_create: u64,
    /// Write calls that were not counted for any file.
    pub file_write: u64,
    /// Unlinks that were not counted for any path.
    pub file_unlink: u64,
    /// Paths: the counts are right, the file's name is unknown.
    pub file_path: u64,
    /// New cgroups: events in them have no cgroup path.
    pub cgroup: u64,
    /// Calls of a probe that the kernel skipped because the probe was already
    /// running on that processor. Each may have been an event, or none.
    pub skipped: u64,
}

impl Lost {
    /// Each count with the name it has in JSON.
    #[must_use]
    pub const fn by_name(&self) -> [(&'static str, u64); 11] {
        [
            ("exec", self.exec),
            ("fork", self.fork),
            ("exit", self.exit),
            ("signal", self.signal),
            ("oom_kill", self.oom_kill),
            ("file_create", self.file_create),
            ("file_write", self.file_write),
            ("file_unlink", self.file_unlink),
            ("file_path", self.file_path),
            ("cgroup", self.cgroup),
            ("skipped", self.skipped),
        ]
    }

    /// All of them together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_name().iter().fold(0, |total, (_, count)| total.saturating_add(*count))
    }

    /// Both together.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            exec: self.exec.saturating_add(other.exec),
            fork: self.fork.saturating_add(other.fork),
            exit: self.exit.saturating_add(other.exit),
            signal: self.signal.saturating_add(other.signal),
            oom_kill: self.oom_kill.saturating_add(other.oom_kill),
            file_create: self.file_create.saturating_add(other.file_create),
            file_write: self.file_write.saturating_add(other.file_write),
            file_unlink: self.file_unlink.saturating_add(other.file_unlink),
            file_path: self.file_path.saturating_add(other.file_path),
            cgroup: self.cgroup.saturating_add(other.cgroup),
            skipped: self.skipped.saturating_add(other.skipped),
        }
    }

    /// What was lost since `earlier`; counters only grow.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            exec: self.exec.saturating_sub(earlier.exec),
            fork: self.fork.saturating_sub(earlier.fork),
            exit: self.exit.saturating_sub(earlier.exit),
            signal: self.signal.saturating_sub(earlier.signal),
            oom_kill: self.oom_kill.saturating_sub(earlier.oom_kill),
            file_create: self.file_create.saturating_sub(earlier.file_create),
            file_write: self.file_write.saturating_sub(earlier.file_write),
            file_unlink: self.file_unlink.saturating_sub(earlier.file_unlink),
            file_path: self.file_path.saturating_sub(earlier.file_path),
            cgroup: self.cgroup.saturating_sub(earlier.cgroup),
            skipped: self.skipped.saturating_sub(earlier.skipped),
        }
    }
}
