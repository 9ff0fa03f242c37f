//! A session: what was looked at while something was tried out, look by look,
//! in phases that somebody named, and what it comes to.

use super::{Figures, Metric, Persona, WallTime};

/// Columns of the file of personas that stand before the figures.
pub const SESSION_KEYS: [&str; 4] = ["time", "phase", "persona", "genome_id"];
/// Those that stand after them.
pub const SESSION_LIMITS: [&str; 2] = ["memory_limit_bytes", "lost_events"];
/// Columns of the file of GPUs.
pub const SESSION_GPU_COLUMNS: [&str; 11] = [
    "time",
    "phase",
    "gpu",
    "uuid",
    "name",
    "vram_total_bytes",
    "vram_used_bytes",
    "gpu_percent",
    "memory_percent",
    "temperature_celsius",
    "power_watts",
];

/// The phase before anybody names one.
pub const FIRST_PHASE: &str = "start";

/// One row of the file of personas.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow {
    /// When.
    pub wall_time: WallTime,
    /// In which phase.
    pub phase: String,
    /// Of whom; `None` for the machine, of which each look has a row.
    pub persona: Option<Persona>,
    /// What it used.
    pub figures: Figures,
    /// Its memory limit, or the machine's memory, in bytes.
    pub memory_limit_bytes: Option<f64>,
    /// Of the machine: events lost since the recorder began.
    pub lost_events: Option<u64>,
}

/// One row of the file of GPUs.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionGpuRow {
    /// When.
    pub wall_time: WallTime,
    /// The driver's number for it.
    pub gpu: u32,
    /// All its memory, in bytes.
    pub vram_total_bytes: Option<f64>,
    /// What of it is in use.
    pub vram_used_bytes: Option<f64>,
}

/// A session as its files have it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {
    /// Its name.
    pub id: String,
    /// Rows of personas and of the machine, by time.
    pub rows: Vec<SessionRow>,
    /// Rows of GPUs, by time.
    pub gpus: Vec<SessionGpuRow>,
    /// Rows that could not be read.
    pub unreadable: u64,
}

/// A stretch of looks in one phase. A phase that is named again later is
/// another stretch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseStretch {
    /// The phase.
    pub name: String,
    /// Its first look.
    pub from: WallTime,
    /// Its last look.
    pub until: WallTime,
    /// How many looks.
    pub looks: u64,
}

/// What a metric came to in a stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// The average of the looks that know it.
    pub average: f64,
    /// The highest.
    pub peak: f64,
}

/// A persona, or the machine, in a stretch.
#[derive(Clone, Debug, PartialEq)]
pub struct StretchUsage {
    /// Which stretch, from 0.
    pub stretch: usize,
    /// Who; `None` for the machine.
    pub persona: Option<Persona>,
    /// Each metric; `None` where no look knows it.
    pub extents: Vec<(Metric, Option<Extent>)>,
}

/// Memory that a persona held at the end of two stretches.
#[derive(Clone, Debug, PartialEq)]
pub struct Released {
    /// Who.
    pub persona: Persona,
    /// Resident memory, or a GPU's.
    pub metric: Metric,
    /// The earlier stretch.
    pub from: usize,
    /// The later one.
    pub to: usize,
    /// At the end of the earlier one, in bytes. 0 where it had no process.
    pub before: f64,
    /// At the end of the later one.
    pub after: f64,
}

/// What stands out, in one sentence with its figures.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// A persona came near its memory limit.
    NearLimit {
        /// Who.
        persona: Persona,
        /// When it was nearest.
        at: WallTime,
        /// In which phase.
        phase: String,
        /// Its memory then, in bytes.
        rss_bytes: f64,
        /// The limit.
        limit_bytes: f64,
    },
    /// A GPU's memory was nearly full.
    GpuNearFull {
        /// The driver's number for it.
        gpu: u32,
        /// When it was fullest.
        at: WallTime,
        /// In use then, in bytes.
        used_bytes: f64,
        /// All of it.
        total_bytes: f64,
    },
    /// When a phase came again, more memory was held than the first time.
    HeldMore(Released),
    /// Events were lost meanwhile.
    Lost {
        /// How many.
        events: u64,
    },
    /// For a while nothing was looked at.
    Gap {
        /// The last look before.
        from: WallTime,
        /// The first after.
        until: WallTime,
    },
}

/// What a session comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSummary {
    /// The stretches, by time.
    pub stretches: Vec<PhaseStretch>,
    /// Who used what in each, the machine first.
    pub usage: Vec<StretchUsage>,
    /// From each stretch to the next, and from a phase to when it came again.
    pub released: Vec<Released>,
    /// What stands out.
    pub findings: Vec<Finding>,
    /// The usual time between two looks, in nanoseconds; `None` where there are
    /// not two.
    pub interval_ns: Option<u64>,
}
