//! What a store says of itself.

use std::{collections::BTreeMap, path::PathBuf};

use super::item::ItemKind;
use crate::model::WallTime;

/// Whether what is pushed gets stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StoreState {
    /// It does.
    #[default]
    Storing,
    /// It waits, and is tried again and again.
    Failing {
        /// Since when.
        since: WallTime,
        /// Why, and what to do about it, in one sentence.
        reason: String,
    },
}

/// What was learned of a persona up to a moment was ordered to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgetOrder {
    /// The persona's name; `None` for everybody.
    pub persona: Option<String>,
    /// When it was ordered.
    pub ordered: WallTime,
}

/// A store's account of its work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStatus {
    /// Whether it works.
    pub state: StoreState,
    /// Items that are stored. They are stored in the order in which they were
    /// pushed: it is the first so many of those that were not refused.
    pub stored: u64,
    /// Items that could not be stored and never will be.
    pub unstored: BTreeMap<ItemKind, u64>,
    /// Where damaged stores were put, the latest last.
    pub set_aside: Vec<PathBuf>,
    /// What was ordered to be forgotten, as of when baselines were stored last.
    pub forget: Vec<ForgetOrder>,
}
