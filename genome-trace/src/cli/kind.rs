//! Kinds: of events with `--follow`, of crashes with `--crashes`.

use std::{fmt, str::FromStr};

use crate::model::{CrashKind, EventKind};

/// A kind of event or of crash; no two have the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of an event.
    Event(EventKind),
    /// Of a crash.
    Crash(CrashKind),
}

impl Kind {
    /// The kind of event that it is.
    #[must_use]
    pub const fn event(self) -> Option<EventKind> {
        match self {
            Self::Event(kind) => Some(kind),
            Self::Crash(_) => None,
        }
    }

    /// The kind of crash that it is.
    #[must_use]
    pub const fn crash(self) -> Option<CrashKind> {
        match self {
            Self::Event(_) => None,
            Self::Crash(kind) => Some(kind),
        }
    }
}

/// As it is read.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(kind) => kind.fmt(f),
            Self::Crash(kind) => kind.fmt(f),
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let event = name.parse().map(Self::Event);
        let crash = name.parse().map(Self::Crash);
        event.ok().or(crash.ok()).ok_or_else(|| {
            format!(
                "nothing is called {name:?}; with --follow there are {}, and with --crashes {}",
                event_kinds(),
                crash_kinds()
            )
        })
    }
}

/// The names of the kinds of event, separated by commas.
pub(super) fn event_kinds() -> String {
    EventKind::ALL.map(EventKind::name).join(", ")
}

/// The names of the kinds of crash, likewise.
pub(super) fn crash_kinds() -> String {
    CrashKind::ALL.map(CrashKind::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_and_no_name_means_two() {
        for kind in EventKind::ALL {
            assert_eq!(kind.name().parse(), Ok(Kind::Event(kind)));
        }
        for kind in CrashKind::ALL {
            assert_eq!(kind.name().parse(), Ok(Kind::Crash(kind)));
            assert!(kind.name().parse::<EventKind>().is_err(), "{kind}");
        }
        assert!("crash".parse::<Kind>().is_err_and(|reason| reason.contains("gpu_fault")));
    }
}
