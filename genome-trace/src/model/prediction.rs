//! When a limit will be reached, as far as the past carries that.

use serde::Serialize;

use super::{Advice, Gap, Persona, TimeRange, Unit, WallTime};

/// What runs out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Supply {
    /// Memory of a persona, by the limit of its cgroup.
    MemoryLimit,
    /// Memory of the machine.
    MachineMemory,
    /// Memory of a GPU.
    Vram {
        /// Its number.
        gpu: u32,
    },
    /// Room of a file system.
    Disk {
        /// Where it is mounted.
        mount: String,
    },
    /// Descriptors of a process (`RLIMIT_NOFILE`, getrlimit(2)).
    OpenFiles {
        /// Which process.
        tgid: u32,
    },
}

impl Supply {
    /// One word for JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::MemoryLimit => "memory_limit",
            Self::MachineMemory => "machine_memory",
            Self::Vram { .. } => "vram",
            Self::Disk { .. } => "disk",
            Self::OpenFiles { .. } => "open_files",
        }
    }

    /// What it is counted in.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        match self {
            Self::OpenFiles { .. } => Unit::Count,
            _ => Unit::Bytes,
        }
    }
}

/// Something that runs out, or does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// For whom; `None` for the machine.
    pub persona: Option<Persona>,
    /// What.
    pub supply: Supply,
    /// How much of it is used now.
    pub used: f64,
    /// How much there is.
    pub limit: f64,
    /// When it was looked at first, of what the forecast rests on.
    pub since: WallTime,
    /// How many looks that were.
    pub looks: u64,
    /// When it runs out.
    pub forecast: Result<Forecast, NoForecast>,
}

/// When a line reaches a limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// How much it rises an hour.
    pub slope_per_hour: f64,
    /// The time left at that slope, in nanoseconds.
    pub reached_in_ns: u64,
    /// It is no sooner than that, in nine of ten cases...
    pub earliest_ns: u64,
    /// ...and no later; `None` where it may never be.
    pub latest_ns: Option<u64>,
    /// For how long it has gone that way, in nanoseconds.
    pub window_ns: u64,
    /// Looks in that time.
    pub looks: u64,
    /// How much of the ups and downs of that time the line explains, 0 to 1.
    pub explained: f64,
}

/// Why nothing is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoForecast {
    /// Too few looks.
    TooFew,
    /// It does not rise by more than the noise.
    NotRising,
    /// It rises, but not along a line: now faster, now slower.
    NotALine,
    /// The limit is so far away that the time looked at says nothing of it.
    TooFar,
}

impl NoForecast {
    /// One word for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooFew => "too_few",
            Self::NotRising => "not_rising",
            Self::NotALine => "not_a_line",
            Self::TooFar => "too_far",
        }
    }
}

/// What runs out when, by what a store has of the last minutes.
#[derive(Clone, Debug)]
pub struct PredictReport {
    /// Version of genome-trace.
    pub version: String,
    /// Name of the host.
    pub host: String,
    /// When it was asked for.
    pub now: WallTime,
    /// The store that was read.
    pub store: String,
    /// What was looked back at.
    pub range: TimeRange,
    /// Those with a forecast first, the soonest of them first.
    pub predictions: Vec<Prediction>,
    /// Why limits of personas and GPUs are unknown, where they are.
    pub unknown_because: Option<String>,
    /// Of which time not all is known, the earliest first.
    pub gaps: Vec<Gap>,
    /// What to do.
    pub advice: Vec<Advice>,
}
