//! What `--stats` shows: how the machine is, its GPUs, who uses what, how the
//! last minutes went, and what follows from all that.

use std::collections::BTreeMap;

use super::{
    Advice, Gap, Health, HealthState, Metric, Persona, Sighting, SortKey, Stats, Summary,
    TimeRange, Usage,
};

/// One report.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The GPUs, and when and where all of it is from.
    pub gpus: Stats,
    /// How the machine is; `None` where too little is known to say that it is
    /// healthy, and nothing speaks against it.
    pub health: Option<Health>,
    /// What everybody uses, or why that is unknown and what to do about it.
    pub active: Result<Active, String>,
    /// What personas are sorted by.
    pub sort: SortKey,
    /// How the last minutes went, or why that is unknown.
    pub recent: Result<Recent, String>,
    /// What follows.
    pub outlook: Outlook,
}

/// What everybody uses now.
#[derive(Clone, Debug)]
pub struct Active {
    /// Figures.
    pub usage: Usage,
    /// Crashes in the last hour; who is not named had none. `None` where
    /// nothing knows.
    pub crashes: Option<BTreeMap<Persona, u64>>,
}

impl Active {
    /// What is known of personas beside what they use.
    #[must_use]
    pub const fn seen(&self) -> Sighting<'_> {
        Sighting { wall_time: self.usage.wall_time, crashes: self.crashes.as_ref() }
    }
}

/// How the last minutes went, from a store.
#[derive(Clone, Debug, PartialEq)]
pub struct Recent {
    /// The store that was read.
    pub store: String,
    /// Those minutes.
    pub range: TimeRange,
    /// The machine's first, then those of personas by name; of each the metrics
    /// in their order. What was not measured is not among them.
    pub figures: Vec<RecentFigure>,
    /// Of which time not all is known, the earliest first.
    pub gaps: Vec<Gap>,
}

/// What a metric came to in the last minutes.
#[derive(Clone, Debug, PartialEq)]
pub struct RecentFigure {
    /// Whose; `None` for the machine.
    pub persona: Option<Persona>,
    /// Of what.
    pub metric: Metric,
    /// All in all.
    pub summary: Summary,
}

/// What follows from what is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// What is wrong, or will be; the worst first.
    pub warnings: Vec<Warning>,
    /// What to do, and what speaks for it.
    pub advice: Vec<Advice>,
}

/// Something that is wrong, or will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// How bad it is.
    pub state: HealthState,
    /// Whose it is; `None` where it is the machine's.
    pub persona: Option<Persona>,
    /// With its evidence, in words.
    pub text: String,
}
