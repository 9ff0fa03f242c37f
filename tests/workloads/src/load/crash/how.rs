//! The endings' names.

use std::fmt;
use std::str::FromStr;

/// One way for a process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// A read from an address that nothing is mapped at.
    Segv,
    /// The same, three functions deep.
    SegvDeep,
    /// abort(3).
    Abort,
    /// exit(2) with a code.
    Exit(u8),
    /// SIGTERM from the process to itself.
    SigtermSelf,
    /// SIGKILL from the process' own child.
    KillByChild,
    /// The first thread ends; later another ends the process by exit_group(2).
    LeaderExitsFirst,
    /// The first thread ends; later the last one does, by itself alone.
    LastThreadExits,
}

impl How {
    /// The code that the first thread ends with, where it ends by itself.
    pub(crate) fn leader_code(self) -> Option<u8> {
        self.last_thread_code().map(|_| 3)
    }

    /// The code of the last thread's ending, where it isn't the first thread.
    pub(crate) fn last_thread_code(self) -> Option<u8> {
        match self {
            Self::LeaderExitsFirst => Some(7),
            Self::LastThreadExits => Some(9),
            _ => None,
        }
    }
}

impl FromStr for How {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(code) = text.strip_prefix("exit:") {
            let code = code.parse().map_err(|error| format!("exit code: {error}"))?;
            return Ok(Self::Exit(code));
        }
        match text {
            "segv" => Ok(Self::Segv),
            "segv-deep" => Ok(Self::SegvDeep),
            "abort" => Ok(Self::Abort),
            "sigterm-self" => Ok(Self::SigtermSelf),
            "kill-by-child" => Ok(Self::KillByChild),
            "leader-exits-first" => Ok(Self::LeaderExitsFirst),
            "last-thread-exits" => Ok(Self::LastThreadExits),
            _ => Err("no such ending".to_owned()),
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segv => f.write_str("segv"),
            Self::SegvDeep => f.write_str("segv-deep"),
            Self::Abort => f.write_str("abort"),
            Self::Exit(code) => write!(f, "exit:{code}"),
            Self::SigtermSelf => f.write_str("sigterm-self"),
            Self::KillByChild => f.write_str("kill-by-child"),
            Self::LeaderExitsFirst => f.write_str("leader-exits-first"),
            Self::LastThreadExits => f.write_str("last-thread-exits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::How;

    #[test]
    fn every_name_is_read_back() {
        for how in [
            How::Segv,
            How::SegvDeep,
            How::Abort,
            How::Exit(3),
            How::SigtermSelf,
            How::KillByChild,
            How::LeaderExitsFirst,
            How::LastThreadExits,
        ] {
            assert_eq!(how.to_string().parse(), Ok(how));
        }
        assert!("exit:256".parse::<How>().is_err());
        assert!("boredom".parse::<How>().is_err());
    }
}
