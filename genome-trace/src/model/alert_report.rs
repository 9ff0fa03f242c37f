//! Alerts of a stretch of time, with how well that was watched.

use super::{Act, Alert, Gap, RecorderRun, Rule, Severity, TimeRange, WallTime};

/// The alerts of a stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertReport {
    /// Version of genome-trace.
    pub version: String,
    /// Name of the host.
    pub host: String,
    /// When it was asked for.
    pub now: WallTime,
    /// The store that was read.
    pub store: String,
    /// The stretch of time: alerts that have a moment in common with it.
    pub range: TimeRange,
    /// Personas that it is narrowed to; empty for all.
    pub personas: Vec<String>,
    /// Rules that it is narrowed to; empty for all.
    pub rules: Vec<Rule>,
    /// The mildest that it is narrowed to.
    pub severity: Option<Severity>,
    /// Whether it is narrowed to those that are not over.
    pub open: bool,
    /// The alerts, those that were raised last first.
    pub alerts: Vec<Alert>,
    /// What was done about them, or was not and why, the earliest first.
    pub acts: Vec<Act>,
    /// When a recorder ran, as far as that is within the range, the earliest
    /// first.
    pub watched: Vec<RecorderRun>,
    /// Of which time not all is known, the earliest first.
    pub gaps: Vec<Gap>,
}

/// How an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// It goes on.
    GoesOn,
    /// It is over.
    Over,
    /// The recorder ended before it was over.
    Unknown,
}

impl AlertState {
    /// One word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GoesOn => "goes_on",
            Self::Over => "over",
            Self::Unknown => "unknown",
        }
    }
}

/// A recorder that runs says so in its store every few seconds at least.
const ALIVE_NS: i64 = 60_000_000_000;

impl AlertReport {
    /// What was done about an alert, or was not and why, the earliest first.
    pub fn acts_of(&self, alert: &Alert) -> impl Iterator<Item = &Act> {
        self.acts.iter().filter(move |act| act.alert == alert.id)
    }

    /// How an alert stands: one that is not over goes on only while the
    /// recorder that found it runs.
    #[must_use]
    pub fn state(&self, alert: &Alert) -> AlertState {
        if alert.ended.is_some() {
            return AlertState::Over;
        }
        let is_running = |run: &RecorderRun| {
            let silent_ns = self.now.unix_ns.saturating_sub(run.until.unix_ns);
            !run.ended_orderly && silent_ns <= ALIVE_NS && alert.last >= run.from
        };
        match self.watched.last().is_some_and(is_running) {
            true => AlertState::GoesOn,
            false => AlertState::Unknown,
        }
    }
}
