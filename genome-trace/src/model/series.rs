//! How a figure went: a line of points, what they come to, and where they are
//! heading.

use super::{Metric, SampleSource, TimeRange, WallTime};

/// The samples of a moment, a minute or an hour, of a source that is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// When it began.
    pub wall_time: WallTime,
    /// How many samples.
    pub count: u64,
    /// The lowest.
    pub min: f64,
    /// Their average.
    pub average: f64,
    /// The highest.
    pub max: f64,
    /// The latest.
    pub last: f64,
}

/// One metric of one source, as it was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Of whom.
    pub source: SampleSource,
    /// Of what.
    pub metric: Metric,
    /// The earliest first; nothing where nothing was measured.
    pub stretches: Vec<Stretch>,
}

/// One metric of one source over a stretch of time, in steps of equal length.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Of whom.
    pub source: SampleSource,
    /// Of what.
    pub metric: Metric,
    /// When.
    pub range: TimeRange,
    /// Length of a step, in nanoseconds.
    pub step_ns: u64,
    /// A point for each step from the range's begin on; `None` where nothing
    /// was measured: a gap.
    pub points: Vec<Option<Point>>,
}

/// The samples of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// How many.
    pub count: u64,
    /// The lowest.
    pub min: f64,
    /// Their average.
    pub average: f64,
    /// The highest.
    pub max: f64,
}

/// What the samples of a stretch come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// How many samples.
    pub count: u64,
    /// The lowest.
    pub min: f64,
    /// Their average.
    pub average: f64,
    /// 95 of 100 are no higher (nearest rank). Where minutes or hours were
    /// read, it is that of their averages, each with the weight of its count.
    pub p95: f64,
    /// The highest.
    pub max: f64,
    /// The latest.
    pub last: f64,
}

/// Where a line is heading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trend {
    /// Up, by so much an hour.
    Rising(f64),
    /// Down, by so much an hour: a negative number.
    Falling(f64),
    /// Neither, by more than the noise.
    Stable,
    /// Too few points to tell.
    Unknown,
}

impl Trend {
    /// One word for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rising(_) => "rising",
            Self::Falling(_) => "falling",
            Self::Stable => "stable",
            Self::Unknown => "unknown",
        }
    }

    /// How much it changes an hour, where it does.
    #[must_use]
    pub const fn slope_per_hour(self) -> Option<f64> {
        match self {
            Self::Rising(slope) | Self::Falling(slope) => Some(slope),
            Self::Stable | Self::Unknown => None,
        }
    }
}

/// A stretch against an earlier one. All metrics are of what is used up, so
/// less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// More is used.
    Worse,
    /// Less is used.
    Improved,
    /// The difference is inside the noise, or too small to matter.
    Unchanged,
    /// One of the two has too few samples.
    Unknown,
}

impl Change {
    /// One word for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::Unknown => "unknown",
        }
    }
}
