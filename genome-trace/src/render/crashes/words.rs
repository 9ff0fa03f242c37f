//! Words that the report is made of.

use std::fmt;

use crate::{
    model::{CrashKind, CrashPeer, Ending, Gap, GapReason, WallTime},
    render::{
        text::Escaped,
        units::{Count, Elapsed},
    },
};

pub(super) const UNKNOWN: &str = "unknown";
/// Who is nobody's.
pub(in crate::render) const UNATTRIBUTED: &str = "(unattributed)";
/// What a shell adds to the number of a signal (POSIX, exit status).
const SHELL_SIGNAL_BASE: u32 = 128;

const UNITS_NS: [(&str, u64); 4] = [
    ("d", 24 * 60 * 60 * 1_000_000_000),
    ("h", 60 * 60 * 1_000_000_000),
    ("min", 60 * 1_000_000_000),
    ("s", 1_000_000_000),
];

/// How long ago: `3 min ago`, in the largest unit of which there is one.
pub(super) struct Ago(pub(super) u64);

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS_NS.into_iter().find(|(_, size)| self.0 >= *size) {
            Some((unit, size)) => write!(f, "{} {unit} ago", self.0 / size),
            None => f.write_str("just now"),
        }
    }
}

/// From one point in time to a later one, in nanoseconds; 0 where it is none.
pub(in crate::render) fn between(from: WallTime, until: WallTime) -> u64 {
    u64::try_from(i128::from(until.unix_ns) - i128::from(from.unix_ns)).unwrap_or(0)
}

/// Text from outside.
pub(in crate::render) fn escaped(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

/// As in `SIGKILL (137)`, where the number is what a shell says.
pub(super) fn ending(ending: Ending) -> String {
    match ending {
        Ending::Exited { code } => format!("exit code {code}"),
        Ending::Signaled { signal, core_dumped } => {
            let number = signal.0.saturating_add(SHELL_SIGNAL_BASE);
            let core = if core_dumped { ", core dumped" } else { "" };
            format!("{signal} ({number}){core}")
        }
    }
}

/// As in `bash (1234)`.
pub(super) fn peer(peer: &CrashPeer) -> String {
    match &peer.comm {
        Some(comm) => format!("{} ({})", escaped(comm), peer.tgid),
        None => format!("process {}", peer.tgid),
    }
}

/// As in `oom 4, killed 1`.
pub(super) fn kinds(by_kind: &[(CrashKind, u64)]) -> String {
    let kinds = by_kind.iter().map(|(kind, count)| format!("{kind} {}", Count(*count)));
    kinds.collect::<Vec<_>>().join(", ")
}

/// What is missing in a gap, and for how long.
pub(in crate::render) fn gap(gap: &Gap) -> String {
    let why = match gap.reason {
        GapReason::NotRunning => "no recorder ran",
        GapReason::Lost => "events were lost",
        GapReason::NotStored => "the store could not take what was recorded",
        GapReason::SetAside => "the store was damaged and set aside",
    };
    let mut text = format!("{why} for {}", Elapsed(between(gap.from, gap.until)));
    if let Some(missing) = &gap.missing {
        let counts: Vec<_> =
            missing.iter().map(|(kind, count)| format!("{} {kind}", Count(*count))).collect();
        text.push_str(&format!(" ({})", escaped(&counts.join(", "))));
    }
    if let Some(note) = &gap.note {
        text.push_str(&format!(": {}", escaped(note)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SignalNumber;

    #[test]
    fn how_long_ago() {
        const S: u64 = 1_000_000_000;
        let told: Vec<_> = [0, S - 1, S, 59 * S, 60 * S, 3_599 * S, 86_399 * S, 86_400 * S]
            .map(|ns| Ago(ns).to_string())
            .into();
        assert_eq!(
            told,
            [
                "just now",
                "just now",
                "1 s ago",
                "59 s ago",
                "1 min ago",
                "59 min ago",
                "23 h ago",
                "1 d ago"
            ]
        );
    }

    #[test]
    fn endings_as_shells_number_them() {
        let signal = SignalNumber(9);
        assert_eq!(ending(Ending::Signaled { signal, core_dumped: false }), "SIGKILL (137)");
        let signal = SignalNumber(11);
        assert_eq!(
            ending(Ending::Signaled { signal, core_dumped: true }),
            "SIGSEGV (139), core dumped"
        );
        assert_eq!(ending(Ending::Exited { code: 3 }), "exit code 3");
    }
}
