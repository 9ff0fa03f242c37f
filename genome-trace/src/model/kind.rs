//! The kinds of event, by their names on the command line and in JSON.

use std::{fmt, str::FromStr};

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// A process ran a new program.
    Exec,
    /// A process was created.
    Fork,
    /// A process ended.
    Exit,
    /// A signal that ends its receiver.
    Signal,
    /// The OOM killer chose a victim.
    OomKill,
    /// A file was created by an open.
    FileCreate,
    /// Writes by one process to one file, counted.
    FileWrite,
    /// Unlinks by one process of one path, counted.
    FileUnlink,
    /// A GPU's driver reported an error.
    GpuXid,
    /// A process suddenly holds far more GPU memory than it used to.
    VramSpike,
    /// Something is wrong with somebody, got worse, or is over.
    Alert,
    /// Events that could not be handed over.
    Lost,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Exec,
        Self::Fork,
        Self::Exit,
        Self::Signal,
        Self::OomKill,
        Self::FileCreate,
        Self::FileWrite,
        Self::FileUnlink,
        Self::GpuXid,
        Self::VramSpike,
        Self::Alert,
        Self::Lost,
    ];

    /// The name, as in `--kind` and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Fork => "fork",
            Self::Exit => "exit",
            Self::Signal => "signal",
            Self::OomKill => "oom_kill",
            Self::FileCreate => "file_create",
            Self::FileWrite => "file_write",
            Self::FileUnlink => "file_unlink",
            Self::GpuXid => "gpu_xid",
            Self::VramSpike => "vram_spike",
            Self::Alert => "alert",
            Self::Lost => "lost",
        }
    }

    /// Whether it comes from the probes on files, not those on processes.
    #[must_use]
    pub const fn is_file(self) -> bool {
        matches!(self, Self::FileCreate | Self::FileWrite | Self::FileUnlink)
    }

    /// Whether it says what happened to a process, rather than what one does all
    /// the time.
    #[must_use]
    pub const fn is_notable(self) -> bool {
        !(self.is_file() || matches!(self, Self::Fork))
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no kind's.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownKind(pub String);

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no event kind is called {:?}; there are", self.0)?;
        for (index, kind) in EventKind::ALL.into_iter().enumerate() {
            write!(f, "{} {kind}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownKind {}

impl FromStr for EventKind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for kind in EventKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "crash".parse::<EventKind>().unwrap_err().to_string();
        assert!(error.contains("\"crash\"") && error.contains("oom_kill"), "{error}");
    }
}
