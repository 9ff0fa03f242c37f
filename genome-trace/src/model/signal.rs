//! Signal numbers and their names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A signal; shown by its name, `SIGKILL`, or `SIGRTMIN+3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SignalNumber(pub u32);

/// Names of 1 to 31 as on x86 and Arm (signal(7)).
const NAMES: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// The first real-time signal that glibc leaves to programs.
const SIGRTMIN: u32 = 34;

impl fmt::Display for SignalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = usize::try_from(self.0).ok().and_then(|n| n.checked_sub(1));
        match index.and_then(|index| NAMES.get(index)) {
            Some(name) => f.write_str(name),
            None if self.0 == SIGRTMIN => f.write_str("SIGRTMIN"),
            None if (SIGRTMIN..=64).contains(&self.0) => {
                write!(f, "SIGRTMIN+{}", self.0 - SIGRTMIN)
            }
            None => write!(f, "signal {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(SignalNumber(9).to_string(), "SIGKILL");
        assert_eq!(SignalNumber(31).to_string(), "SIGSYS");
        assert_eq!(SignalNumber(34).to_string(), "SIGRTMIN");
        assert_eq!(SignalNumber(37).to_string(), "SIGRTMIN+3");
        assert_eq!(SignalNumber(0).to_string(), "signal 0");
        assert_eq!(SignalNumber(32).to_string(), "signal 32");
        assert_eq!(SignalNumber(99).to_string(), "signal 99");
    }
}
