//! What personas are used to: as a store keeps it, and as it is shown.

use serde::Serialize;

use super::{Persona, WallTime};

/// A habit as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineRow {
    /// Whose.
    pub persona: Persona,
    /// Of what, by its name.
    pub quantity: String,
    /// When it was begun to be learned.
    pub since: WallTime,
    /// When it was learned from last.
    pub updated: WallTime,
    /// What was learned, as JSON.
    pub record: String,
}

/// A habit as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HabitReport {
    /// Whose.
    pub persona: Persona,
    /// Of what, by its name.
    pub quantity: &'static str,
    /// Samples that were learned.
    pub samples: u64,
    /// Their middle; `None` where none was kept.
    pub centre: Option<f64>,
    /// How far they are spread, scaled like a standard deviation.
    pub spread: Option<f64>,
    /// What one of fifty is above.
    pub peak: Option<f64>,
    /// When the first sample came.
    pub since: WallTime,
    /// When the last one came.
    pub updated: WallTime,
    /// There were enough samples for it to be gone by.
    pub speaks: bool,
}

/// What `baseline show` shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HabitsReport {
    /// genome-trace's version.
    pub version: String,
    /// When it was made.
    pub now: WallTime,
    /// The store that it is from.
    pub store: String,
    /// Samples before a habit is gone by.
    pub samples_to_learn: u64,
    /// Habits, by persona.
    pub habits: Vec<HabitReport>,
}
