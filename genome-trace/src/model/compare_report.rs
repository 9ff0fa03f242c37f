//! A stretch of time against an earlier one: the figures, and what else was
//! different.

use super::{Change, Gap, Metric, Persona, SampleSpan, Summary, TimeRange, WallTime};

/// One metric of one source in both stretches.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Name of the persona; `None` is the machine.
    pub persona: Option<String>,
    /// Of what.
    pub metric: Metric,
    /// What it comes to now; `None` where nothing was measured.
    pub now: Option<Summary>,
    /// What it came to then, likewise.
    pub then: Option<Summary>,
    /// The average now against that of then, in percent; `None` where one is
    /// not there, or that of then is 0.
    pub percent: Option<f64>,
    /// What that means.
    pub change: Change,
}

/// Something else that was different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A persona that was not there then.
    NewPersona(String),
    /// A persona that is not there now.
    GonePersona(String),
    /// A persona has other genome ids.
    GenomeIds {
        /// Whose.
        persona: String,
        /// Those of now.
        now: Vec<String>,
        /// Those of then.
        then: Vec<String>,
    },
    /// A persona ran other executables. What ran in both is not told.
    Executables {
        /// Who.
        persona: String,
        /// Paths that ran now alone.
        now: Vec<String>,
        /// Paths that ran then alone.
        then: Vec<String>,
    },
    /// The OOM killer found other limits, in bytes.
    MemoryLimits {
        /// Whose process it chose; `None` is nobody's.
        persona: Option<String>,
        /// The limits of now.
        now: Vec<u64>,
        /// Those of then.
        then: Vec<u64>,
    },
}

impl Difference {
    /// One word for JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NewPersona(_) => "new_persona",
            Self::GonePersona(_) => "gone_persona",
            Self::GenomeIds { .. } => "genome_ids",
            Self::Executables { .. } => "executables",
            Self::MemoryLimits { .. } => "memory_limits",
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn persona(&self) -> Option<&str> {
        match self {
            Self::NewPersona(persona)
            | Self::GonePersona(persona)
            | Self::GenomeIds { persona, .. }
            | Self::Executables { persona, .. } => Some(persona),
            Self::MemoryLimits { persona, .. } => persona.as_deref(),
        }
    }
}

/// A program that a persona ran.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonaProgram {
    /// Who.
    pub persona: Persona,
    /// Path of the executable.
    pub exe: Option<Box<[u8]>>,
}

/// Now against then.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareReport {
    /// Version of genome-trace.
    pub version: String,
    /// Name of the host.
    pub host: String,
    /// When it was asked for.
    pub asked: WallTime,
    /// The store that was read.
    pub store: String,
    /// The later stretch.
    pub now: TimeRange,
    /// The earlier one, of the same length but where clocks were turned.
    pub then: TimeRange,
    /// What was read of both.
    pub span: SampleSpan,
    /// The machine first, then personas by name; of each the metrics in their
    /// order.
    pub comparisons: Vec<Comparison>,
    /// What else was different.
    pub differences: Vec<Difference>,
    /// Of which time of the two not all is known, the earliest first.
    pub gaps: Vec<Gap>,
}
