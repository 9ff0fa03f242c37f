//! Whether all is well on a machine, and what speaks against it.

use serde::{Deserialize, Serialize};

use super::{Crash, CrashKind, Persona, WallTime};

/// How a machine is, from good to bad.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Nothing speaks against it.
    #[default]
    Healthy,
    /// Something should be looked at.
    Warning,
    /// Work is being lost, or is about to be.
    Critical,
}

impl HealthState {
    /// One word, as it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "HEALTHY",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }

    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// The judgement on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// What speaks against it, the worst first; empty where nothing does.
    pub reasons: Vec<HealthReason>,
}

impl Health {
    /// As bad as the worst reason.
    #[must_use]
    pub fn state(&self) -> HealthState {
        self.reasons.iter().map(|reason| reason.state).max().unwrap_or_default()
    }
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthReason {
    /// How bad it is.
    pub state: HealthState,
    /// What was seen.
    pub evidence: HealthEvidence,
}

/// What was seen, with the figures that were judged. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HealthEvidence {
    /// The OOM killer chose a process.
    OomKill {
        /// Whose; `None` where it was nobody's.
        persona: Option<Persona>,
        /// When.
        wall_time: WallTime,
    },
    /// A process ended by an error of the GPU.
    GpuFault {
        /// Whose; `None` where it was nobody's.
        persona: Option<Persona>,
        /// When.
        wall_time: WallTime,
    },
    /// A persona uses nearly all of the memory that it may have.
    RssNearLimit {
        /// Whose.
        persona: Persona,
        /// What it uses.
        rss_bytes: u64,
        /// What it may use.
        limit_bytes: u64,
    },
    /// The machine has little memory left.
    MemoryLow {
        /// What is left.
        available_bytes: u64,
        /// All that there is.
        memory_bytes: u64,
    },
    /// A GPU has fallen off the bus.
    GpuLost {
        /// The driver's number for it.
        index: u32,
    },
    /// Nearly all memory of a GPU is in use.
    VramNearlyFull {
        /// The driver's number for it.
        index: u32,
        /// What is in use.
        used_bytes: u64,
        /// All that there is.
        total_bytes: u64,
    },
    /// Processes crashed in the last hour.
    Crashes {
        /// Whose; `None` where they were nobody's.
        persona: Option<Persona>,
        /// How many.
        count: u64,
    },
    /// The recorder lost events since it began.
    LostEvents {
        /// How many.
        count: u64,
    },
    /// What happens cannot be stored.
    StoreFailing {
        /// Why.
        reason: String,
    },
}

impl HealthEvidence {
    /// Whose it is; `None` where it is the machine's, or nobody's.
    #[must_use]
    pub const fn persona(&self) -> Option<&Persona> {
        match self {
            Self::OomKill { persona, .. }
            | Self::GpuFault { persona, .. }
            | Self::Crashes { persona, .. } => persona.as_ref(),
            Self::RssNearLimit { persona, .. } => Some(persona),
            Self::MemoryLow { .. }
            | Self::GpuLost { .. }
            | Self::VramNearlyFull { .. }
            | Self::LostEvents { .. }
            | Self::StoreFailing { .. } => None,
        }
    }
}

/// A crash of the last hour, as far as health depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentCrash {
    /// Whose; `None` where it was nobody's.
    pub persona: Option<Persona>,
    /// Of what.
    pub kind: CrashKind,
    /// When.
    pub wall_time: WallTime,
}

impl RecentCrash {
    /// What of a crash counts here.
    #[must_use]
    pub fn of(crash: &Crash) -> Self {
        let persona = crash.persona.clone();
        let genome_id = crash.genome_id.clone();
        Self {
            persona: persona.map(|name| Persona { name, genome_id }),
            kind: crash.kind,
            wall_time: crash.wall_time,
        }
    }
}
