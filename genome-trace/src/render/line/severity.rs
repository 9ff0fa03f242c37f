//! How loud an event is.

use anstyle::{AnsiColor, Style};

use crate::model::{self, AlertChange, Ending, Payload, SignalNumber, XidCause};

/// SIGHUP, SIGINT, SIGPIPE, SIGTERM: somebody asked the process to end, or
/// stopped listening to it; it did not crash.
const POLITE: [SignalNumber; 4] =
    [SignalNumber(1), SignalNumber(2), SignalNumber(13), SignalNumber(15)];

/// What an event asks of its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// What is shown is not all that happened.
    Incomplete,
    /// A process was killed or crashed.
    Critical,
    /// A process failed, or was asked to end.
    Warning,
    /// Something was done.
    Notice,
    /// Everyday life.
    Ordinary,
}

/// The severity of what happened.
pub(super) fn of(payload: &Payload<'_>) -> Severity {
    match payload {
        Payload::Lost(_) => Severity::Incomplete,
        Payload::OomKill(_) => Severity::Critical,
        Payload::GpuXid(xid) => match xid.meaning.map(|meaning| meaning.cause) {
            Some(XidCause::Notice) => Severity::Notice,
            _ => Severity::Critical,
        },
        Payload::VramSpike(_) => Severity::Warning,
        Payload::Alert(alert) => match (alert.change, alert.severity) {
            (AlertChange::Ended | AlertChange::GoesOn, _) => Severity::Notice,
            (_, model::Severity::Critical | model::Severity::Error) => Severity::Critical,
            (_, model::Severity::Warning) => Severity::Warning,
        },
        Payload::Exit(exit) => match exit.ending {
            Ending::Exited { code: 0 } => Severity::Ordinary,
            Ending::Exited { .. } => Severity::Warning,
            Ending::Signaled { signal, .. } if POLITE.contains(&signal) => Severity::Warning,
            Ending::Signaled { .. } => Severity::Critical,
        },
        Payload::Signal(_) => Severity::Warning,
        Payload::FileCreate(_) | Payload::FileWrite(_) | Payload::FileUnlink(_) => Severity::Notice,
        Payload::Exec(_) => Severity::Notice,
        Payload::Fork => Severity::Ordinary,
    }
}

impl Severity {
    /// Its colour.
    pub(super) const fn style(self) -> Style {
        match self {
            Self::Incomplete => AnsiColor::Red.on_default().bold(),
            Self::Critical => AnsiColor::Red.on_default(),
            Self::Warning => AnsiColor::Yellow.on_default(),
            Self::Notice => Style::new(),
            Self::Ordinary => Style::new().dimmed(),
        }
    }
}
