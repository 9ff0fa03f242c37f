//! Samples: one number of the machine, a persona or a process at one time.

use super::{Metric, Persona, ProcessKey, WallTime};

/// Of whom a sample is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SampleSource {
    /// The persona; `None` for a process that is nobody's, and for the machine.
    pub persona: Option<Persona>,
    /// The process; `None` where it is of the persona, or the machine, as a
    /// whole.
    pub key: Option<ProcessKey>,
}

/// A number at one time. What could not be measured makes no sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When.
    pub wall_time: WallTime,
    /// Of whom.
    pub source: SampleSource,
    /// Of what.
    pub metric: Metric,
    /// How much.
    pub value: f64,
}

/// How full a file system was at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSample {
    /// When.
    pub wall_time: WallTime,
    /// Where it is mounted.
    pub mount: String,
    /// What of it was used.
    pub used_bytes: u64,
    /// What could be.
    pub total_bytes: u64,
}

/// The samples of a stretch of time: of one moment, a minute or an hour.
#[derive(Clone, Debug, PartialEq)]
pub struct RollUp {
    /// When the stretch began.
    pub wall_time: WallTime,
    /// Of whom.
    pub source: SampleSource,
    /// Of what.
    pub metric: Metric,
    /// How many samples there were.
    pub count: u64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// The latest.
    pub last: f64,
    /// Their average.
    pub average: f64,
}
