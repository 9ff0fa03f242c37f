//! What is kept of a persona or a process from look to look.

use super::{
    climb::{Climb, Climbing, Least},
    held::{Held, Zone},
    jump::Jump,
};
use crate::model::Metric;

/// What may climb.
#[derive(Clone, Debug, Default)]
pub(super) struct Climbs {
    memory: Climb,
    vram: Climb,
    files: Climb,
}

impl Climbs {
    fn of(&mut self, metric: Metric) -> Option<&mut Climb> {
        match metric {
            Metric::RssBytes => Some(&mut self.memory),
            Metric::VramBytes => Some(&mut self.vram),
            Metric::OpenFiles => Some(&mut self.files),
            _ => None,
        }
    }

    /// Takes in a figure. What is nothing takes no room.
    pub(super) fn add(&mut self, metric: Metric, at: f64, value: Option<f64>) {
        let Some(climb) = self.of(metric) else { return };
        match value.filter(|value| value.is_finite() && *value > 0.0) {
            Some(value) => climb.add(at, value),
            None => climb.clear(),
        }
    }

    pub(super) fn climbing(&mut self, metric: Metric, least: &Least) -> Option<Climbing> {
        self.of(metric)?.climbing(least)
    }

    pub(super) fn clear(&mut self) {
        self.memory.clear();
        self.vram.clear();
        self.files.clear();
    }
}

/// A process.
#[derive(Clone, Debug, Default)]
pub(super) struct ProcessTrack {
    /// The last look that it was seen at.
    pub(super) look: u64,
    pub(super) climbs: Climbs,
    /// How many descriptors it may have, where that was asked for.
    pub(super) files_limit: FilesLimit,
    /// They have climbed.
    pub(super) files_climb: bool,
}

/// How many descriptors a process may have. It is asked for only once they
/// climb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum FilesLimit {
    #[default]
    NotAsked,
    Asked,
    Known(u64),
}

/// A persona.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    /// The last look that it was seen at.
    pub(super) look: u64,
    pub(super) rss: Jump,
    pub(super) vram: Jump,
    pub(super) cpu: Held,
    pub(super) writes: Held,
    pub(super) threads: Held,
    pub(super) spawns: Held,
    pub(super) limit: Zone,
    /// Of all its processes together, as long as they stay the same ones.
    pub(super) climbs: Climbs,
    pub(super) members: u64,
}

impl Track {
    /// Nobody looked for a while.
    pub(super) fn gap(&mut self) {
        self.rss.clear();
        self.vram.clear();
        self.climbs.clear();
        self.cpu = Held::default();
        self.writes = Held::default();
        self.threads = Held::default();
        self.spawns = Held::default();
    }
}
