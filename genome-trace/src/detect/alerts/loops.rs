//! What happens again and again: crashes, OOM kills, processes that are begun
//! and end at once.

use crate::model::{Anomaly, Event, RecentCrash};

/// When it is too often.
#[derive(Clone, Debug, Default)]
pub struct LoopPolicy {}

/// Who begins and ends how often.
#[derive(Debug)]
pub(super) struct LoopWatch {}

impl LoopWatch {
    pub(super) fn new(_: &LoopPolicy) -> Self {
        Self {}
    }

    pub(super) fn hear(&mut self, _: &Event<'_>, _: &mut Vec<Anomaly>) {}

    pub(super) fn crashed(&mut self, _: &RecentCrash, _: &mut Vec<Anomaly>) {}
}
