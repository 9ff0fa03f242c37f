//! Counts of what could not be stored, until a gap tells of it.

use std::collections::BTreeMap;

use super::item::{Item, ItemKind};
use crate::model::{Gap, GapReason, WallTime};

/// How much of each kind is missing, and from when to when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unstored {
    counts: BTreeMap<ItemKind, u64>,
    between: Option<(WallTime, WallTime)>,
}

impl Unstored {
    pub(super) fn add(&mut self, item: &Item) {
        let count = self.counts.entry(item.kind()).or_default();
        *count = count.saturating_add(1);
        if let Some(at) = item.wall_time() {
            self.extend(at, at);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (kind, more) in &other.counts {
            let count = self.counts.entry(*kind).or_default();
            *count = count.saturating_add(*more);
        }
        if let Some((from, until)) = other.between {
            self.extend(from, until);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub(super) fn counts(&self) -> &BTreeMap<ItemKind, u64> {
        &self.counts
    }

    /// What a report over that time has to say; `None` where nothing is
    /// missing. `now` stands for the time of what was of no moment.
    pub(super) fn gap(&self, reason: &str, now: WallTime) -> Option<Gap> {
        if self.is_empty() {
            return None;
        }
        let (from, until) = self.between.unwrap_or((now, now));
        let missing =
            self.counts.iter().map(|(kind, count)| (kind.name().to_owned(), *count)).collect();
        Some(Gap {
            from,
            until,
            reason: GapReason::NotStored,
            missing: Some(missing),
            note: Some(reason.to_owned()),
        })
    }

    fn extend(&mut self, from: WallTime, until: WallTime) {
        self.between = Some(match self.between {
            Some((first, last)) => (first.min(from), last.max(until)),
            None => (from, until),
        });
    }
}
