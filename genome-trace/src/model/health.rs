//! Whether all is well on a machine, and what speaks against it.

use serde::{Deserialize, Serialize};

use super::{Crash, CrashKind, Persona, Rule, Severity, WallTime};

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

    /// 100 less what each reason takes, and no less than 0.
    #[must_use]
    pub fn score(&self) -> Score {
        Score::of(&self.reasons.iter().collect::<Vec<_>>())
    }

    /// The same, by the reasons that are a persona's alone.
    #[must_use]
    pub fn score_of(&self, persona: &Persona) -> Score {
        let is_its = |reason: &&HealthReason| reason.evidence.persona() == Some(persona);
        Score::of(&self.reasons.iter().filter(is_its).collect::<Vec<_>>())
    }
}

/// How well, in one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score {
    /// From 0 to 100.
    pub points: u8,
    /// Whether somebody has to act.
    pub light: Light,
}

/// A score as a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Light {
    /// Act now: something is critical, or half of the points are gone.
    Red,
    /// Look at it.
    Yellow,
    /// All is well.
    Green,
}

impl Light {
    /// One word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Yellow => "yellow",
            Self::Green => "green",
        }
    }
}

impl Score {
    fn of(reasons: &[&HealthReason]) -> Self {
        let taken: u32 = reasons.iter().map(|reason| u32::from(reason.points())).sum();
        let points = u8::try_from(100_u32.saturating_sub(taken)).unwrap_or(0);
        let is_critical = reasons.iter().any(|reason| reason.state == HealthState::Critical);
        let light = if is_critical || points < 50 {
            Light::Red
        } else if points < 100 {
            Light::Yellow
        } else {
            Light::Green
        };
        Self { points, light }
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

impl HealthReason {
    /// What it takes from the score.
    #[must_use]
    pub const fn points(&self) -> u8 {
        match (self.state, &self.evidence) {
            (HealthState::Healthy, _) => 0,
            (HealthState::Critical, _) => 40,
            (HealthState::Warning, HealthEvidence::Alert { severity: Severity::Error, .. }) => 25,
            (HealthState::Warning, _) => 15,
        }
    }
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
    /// An alert is open.
    Alert {
        /// Whose; `None` where it is the machine's, or nobody's.
        persona: Option<Persona>,
        /// What was watched for.
        rule: Rule,
        /// How bad it is.
        severity: Severity,
        /// Since when.
        wall_time: WallTime,
        /// All of it in one sentence.
        text: String,
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
            | Self::Crashes { persona, .. }
            | Self::Alert { persona, .. } => persona.as_ref(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn health(states: &[HealthState]) -> Health {
        let reason = |state: &HealthState| HealthReason {
            state: *state,
            evidence: HealthEvidence::LostEvents { count: 1 },
        };
        Health { reasons: states.iter().map(reason).collect() }
    }

    #[test]
    fn a_score_says_how_much_each_reason_takes() {
        use HealthState::{Critical, Warning};
        let score = |states: &[HealthState]| {
            let score = health(states).score();
            (score.points, score.light)
        };
        assert_eq!(score(&[]), (100, Light::Green));
        assert_eq!(score(&[Warning]), (85, Light::Yellow));
        assert_eq!(score(&[Warning; 4]), (40, Light::Red));
        assert_eq!(score(&[Critical]), (60, Light::Red));
        assert_eq!(score(&[Critical; 5]), (0, Light::Red));
    }
}
