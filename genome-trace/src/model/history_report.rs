//! How figures went over a stretch of time, with how well that was watched.

use super::{Gap, Series, Summary, TimeRange, Trend, WallTime};

/// What one kept figure is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SampleSpan {
    /// Each sample as it was taken.
    Moment,
    /// The samples of a minute.
    Minute,
    /// The samples of an hour.
    Hour,
}

impl SampleSpan {
    /// One word for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Moment => "moment",
            Self::Minute => "minute",
            Self::Hour => "hour",
        }
    }

    /// Its length in nanoseconds. Samples are taken once a second, but not to
    /// the nanosecond: in two seconds there is always one.
    #[must_use]
    pub const fn ns(self) -> u64 {
        match self {
            Self::Moment => 2_000_000_000,
            Self::Minute => 60 * 1_000_000_000,
            Self::Hour => 60 * 60 * 1_000_000_000,
        }
    }
}

/// One metric of one source: how it went, and what that comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Step by step.
    pub series: Series,
    /// All in all.
    pub summary: Summary,
    /// Where it is heading.
    pub trend: Trend,
}

/// How figures went.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryReport {
    /// Version of genome-trace.
    pub version: String,
    /// Name of the host.
    pub host: String,
    /// When it was asked for.
    pub now: WallTime,
    /// The store that was read.
    pub store: String,
    /// The stretch of time.
    pub range: TimeRange,
    /// What was read of it.
    pub span: SampleSpan,
    /// Length of a step, in nanoseconds.
    pub step_ns: u64,
    /// The machine first, then personas by name; of each the metrics in their
    /// order. What was never measured is not among them.
    pub courses: Vec<Course>,
    /// Of which time not all is known, the earliest first.
    pub gaps: Vec<Gap>,
}
