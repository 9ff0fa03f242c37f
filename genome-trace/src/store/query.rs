//! What may be asked.

use std::fmt;

use crate::model::{Crash, CrashKind, EventKind, Metric, ProcessKey, Rule, Severity, TimeRange};

/// The number of a crash in its store; it is never given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CrashId(pub i64);

impl fmt::Display for CrashId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A crash with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCrash {
    /// Its number.
    pub id: CrashId,
    /// All of it.
    pub crash: Crash,
}

/// Which crashes.
#[derive(Clone, Debug)]
pub struct CrashQuery {
    /// When.
    pub range: TimeRange,
    /// Of this persona alone.
    pub persona: Option<String>,
    /// Of this genome alone.
    pub genome_id: Option<String>,
    /// Of these kinds alone; all where it is empty.
    pub kinds: Vec<CrashKind>,
    /// At most so many of the latest.
    pub limit: Option<u32>,
}

impl CrashQuery {
    /// All of a range.
    #[must_use]
    pub const fn all(range: TimeRange) -> Self {
        Self { range, persona: None, genome_id: None, kinds: Vec::new(), limit: None }
    }
}

/// Which alerts.
#[derive(Clone, Debug)]
pub struct AlertQuery {
    /// When: they have a moment in common with it.
    pub range: TimeRange,
    /// Of personas of these names alone; all where it is empty.
    pub personas: Vec<String>,
    /// Of these rules alone; all where it is empty.
    pub rules: Vec<Rule>,
    /// So bad or worse.
    pub severity: Option<Severity>,
    /// Only those that are not over.
    pub open: bool,
}

impl AlertQuery {
    /// All of a range.
    #[must_use]
    pub const fn all(range: TimeRange) -> Self {
        Self { range, personas: Vec::new(), rules: Vec::new(), severity: None, open: false }
    }
}

/// Which events.
#[derive(Clone, Debug)]
pub struct EventQuery {
    /// When.
    pub range: TimeRange,
    /// Of these kinds alone; all where it is empty.
    pub kinds: Vec<EventKind>,
    /// Of this persona alone.
    pub persona: Option<String>,
    /// Of this process alone.
    pub key: Option<ProcessKey>,
}

impl EventQuery {
    /// All of a range.
    #[must_use]
    pub const fn all(range: TimeRange) -> Self {
        Self { range, kinds: Vec::new(), persona: None, key: None }
    }
}

/// How fine samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Each as it was taken.
    Moment,
    /// By the minute.
    Minute,
    /// By the hour.
    Hour,
}

/// Which samples.
#[derive(Clone, Debug)]
pub struct SampleQuery {
    /// When; for roll-ups, when their minute or hour begins.
    pub range: TimeRange,
    /// How fine.
    pub resolution: Resolution,
    /// Of this metric alone.
    pub metric: Option<Metric>,
    /// Of this persona alone: the persona as a whole, and its processes.
    pub persona: Option<String>,
    /// Of this process alone.
    pub key: Option<ProcessKey>,
}

impl SampleQuery {
    /// All of a range.
    #[must_use]
    pub const fn all(range: TimeRange, resolution: Resolution) -> Self {
        Self { range, resolution, metric: None, persona: None, key: None }
    }
}

/// Which samples, by their series. Of the machine and of personas as a whole;
/// processes are not among them.
#[derive(Clone, Debug)]
pub struct TrackQuery {
    /// When.
    pub range: TimeRange,
    /// How fine, at most: where the roll-ups do not reach, it is finer.
    pub resolution: Resolution,
    /// Of these metrics alone; all where it is empty.
    pub metrics: Vec<Metric>,
    /// Of personas of these names alone; of all and the machine where it is
    /// empty.
    pub personas: Vec<String>,
}

impl TrackQuery {
    /// All of a range.
    #[must_use]
    pub const fn all(range: TimeRange, resolution: Resolution) -> Self {
        Self { range, resolution, metrics: Vec::new(), personas: Vec::new() }
    }
}
