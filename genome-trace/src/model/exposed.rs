//! What a recorder exposes to other programs: how it stands, what it has
//! counted, and the latest look at what everybody uses.

use std::{collections::BTreeMap, sync::Arc};

use super::{CrashKind, EventKind, GpuSnapshot, Lost, Persona, Rule, Severity, Usage, WallTime};

/// A recorder at one moment.
#[derive(Clone, Debug)]
pub struct Exposed {
    /// genome-trace's version.
    pub version: &'static str,
    /// How files are seen, where they are: the mode's name.
    pub probe_mode: Option<&'static str>,
    /// Since when it traces.
    pub tracing_since: WallTime,
    /// What it has counted since then.
    pub tally: Tally,
    /// How its store stands.
    pub store: StoreTally,
    /// What everybody uses; `None` before the first look.
    pub usage: Option<Arc<Usage>>,
    /// The GPUs; `None` where they are not looked at.
    pub gpus: Option<Arc<GpuSnapshot>>,
}

/// Counts of a run. They only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events, by kind.
    pub events: BTreeMap<EventKind, u64>,
    /// What was lost.
    pub lost: Lost,
    /// Crashes, by whose they were and of what kind.
    pub crashes: BTreeMap<(Crashed, CrashKind), u64>,
    /// Alerts that were raised, by whose they were and of what rule.
    pub alerts: BTreeMap<(Crashed, Rule), u64>,
    /// Alerts that are not over, by their number: these do not only grow.
    pub open_alerts: BTreeMap<i64, OpenAlert>,
}

/// An alert that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAlert {
    /// Whose; `None` for the machine.
    pub persona: Option<Persona>,
    /// Of what rule.
    pub rule: Rule,
    /// How bad.
    pub severity: Severity,
}

/// Whose a crash or an alert was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Crashed {
    /// Nobody's.
    Nobody,
    /// A persona's.
    Persona(Persona),
    /// That of one more persona than are counted one by one.
    Another,
}

/// A store's account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreTally {
    /// Items that are stored.
    pub stored: u64,
    /// Items that could not be, by kind.
    pub unstored: Vec<(&'static str, u64)>,
    /// Nothing is stored now.
    pub is_failing: bool,
}
