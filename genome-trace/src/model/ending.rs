//! How a process ended.

use serde::{Deserialize, Serialize};

use super::SignalNumber;

/// A process' end, as wait(2) tells it to the parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It called exit, or returned from main.
    Exited {
        /// Exit code, 0 to 255.
        code: u8,
    },
    /// A signal ended it.
    Signaled {
        /// Which one.
        signal: SignalNumber,
        /// The kernel says that it wrote a core dump.
        core_dumped: bool,
    },
}

impl Ending {
    /// Reads a wait status (wait(2), `W*` macros).
    #[must_use]
    pub fn from_wait_status(status: u32) -> Self {
        match status & 0x7f {
            0 => Self::Exited { code: (status >> 8 & 0xff) as u8 },
            signal => {
                Self::Signaled { signal: SignalNumber(signal), core_dumped: status & 0x80 != 0 }
            }
        }
    }

    /// One name for all that ended alike: `exit 0`, `SIGKILL`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Exited { code } => format!("exit {code}"),
            Self::Signaled { signal, .. } => signal.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_status_tells_code_signal_and_core() {
        assert_eq!(Ending::from_wait_status(0), Ending::Exited { code: 0 });
        assert_eq!(Ending::from_wait_status(3 << 8), Ending::Exited { code: 3 });
        assert_eq!(
            Ending::from_wait_status(9),
            Ending::Signaled { signal: SignalNumber(9), core_dumped: false }
        );
        assert_eq!(
            Ending::from_wait_status(11 | 0x80),
            Ending::Signaled { signal: SignalNumber(11), core_dumped: true }
        );
    }

    #[test]
    fn a_name_is_of_code_or_signal_alone() {
        assert_eq!(Ending::from_wait_status(3 << 8).name(), "exit 3");
        assert_eq!(Ending::from_wait_status(11 | 0x80).name(), "SIGSEGV");
        assert_eq!(Ending::from_wait_status(11).name(), "SIGSEGV");
    }
}
