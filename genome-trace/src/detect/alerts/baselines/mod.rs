//! What each persona is used to: the middle and the spread of each quantity,
//! learned sample by sample, slowly forgotten, and unharmed by what is out of
//! the ordinary.

use crate::model::{Metric, Persona, WallTime};

/// What is learned of a persona.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantity {
    /// A metric, look by look.
    Metric(Metric),
    /// Files created in a window, window by window.
    FilesPerWindow,
}

/// How it is learned.
#[derive(Clone, Debug)]
pub struct HabitPolicy {
    /// Samples before a habit says anything.
    pub samples_to_learn: u64,
}

impl Default for HabitPolicy {
    fn default() -> Self {
        Self { samples_to_learn: 200 }
    }
}

/// What somebody is used to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Habit {
    /// Learned from so many samples.
    pub samples: u64,
    /// Their middle.
    pub centre: f64,
    /// How far they are spread, scaled like a standard deviation.
    pub spread: f64,
}

/// Everybody's habits.
#[derive(Clone, Debug, Default)]
pub struct Baselines {}

impl Baselines {
    /// Takes in a sample.
    pub fn learn(&mut self, _: &Persona, _: Quantity, _: f64, _: WallTime) {}

    /// The habit of a persona; `None` while it is too young.
    #[must_use]
    pub fn habit(&self, _: &Persona, _: Quantity) -> Option<Habit> {
        None
    }
}
