//! What the machine, every persona and its processes use at one moment.

use serde::{Deserialize, Serialize};

use super::{Figures, Persona, ProcessKey, Sample, SampleSource, WallTime};

/// One look at everything. What could not be measured is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// When.
    pub wall_time: WallTime,
    /// The time since the look before, over which rates are, in nanoseconds;
    /// `None` at the first look, which has no rates.
    pub interval_ns: Option<u64>,
    /// The machine as a whole.
    pub machine: MachineUsage,
    /// Personas that have a process, by name and genome id.
    pub personas: Vec<PersonaUsage>,
}

impl Usage {
    /// What is known of the machine and of each persona as a whole, one by one.
    pub fn samples(&self) -> impl Iterator<Item = Sample> {
        let personas = self.personas.iter().map(|of| (Some(&of.persona), &of.figures));
        std::iter::once((None, &self.machine.figures)).chain(personas).flat_map(
            move |(persona, figures)| {
                figures.iter().filter_map(move |(metric, figure)| {
                    Some(Sample {
                        wall_time: self.wall_time,
                        source: SampleSource { persona: persona.cloned(), key: None },
                        metric,
                        value: figure?,
                    })
                })
            },
        )
    }
}

/// The machine at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MachineUsage {
    /// The sum over all processes, also those that are nobody's.
    pub figures: Figures,
    /// Processors.
    pub processors: Option<u32>,
    /// Memory.
    pub memory_bytes: Option<u64>,
    /// What of it could be had without swapping (`MemAvailable`, proc_meminfo(5)).
    pub available_bytes: Option<u64>,
    /// Time since the boot, in nanoseconds.
    pub uptime_ns: Option<u64>,
    /// Since when the recorder traces; `None` where none does.
    pub tracing_since: Option<WallTime>,
    /// Events since then.
    pub events: Option<u64>,
    /// Events that were lost since then.
    pub lost_events: Option<u64>,
}

/// A persona at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonaUsage {
    /// Who.
    pub persona: Persona,
    /// The sum over its processes. A sum of which a part is unknown is unknown.
    pub figures: Figures,
    /// The lowest memory limit that all its processes are under, in bytes;
    /// `None` where there is none or they have none in common.
    pub rss_limit_bytes: Option<u64>,
    /// When the oldest of its processes started.
    pub started: Option<WallTime>,
    /// Its processes, by key.
    pub processes: Vec<ProcessUsage>,
}

/// A process at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessUsage {
    /// Which.
    pub key: ProcessKey,
    /// Its parent's process id.
    pub ppid: Option<u32>,
    /// Its name. What is not UTF-8 is replaced.
    pub comm: Option<String>,
    /// Real user id.
    pub uid: Option<u32>,
    /// When it started.
    pub started: Option<WallTime>,
    /// What it uses. Its spawns are the processes that it created itself.
    pub figures: Figures,
}
