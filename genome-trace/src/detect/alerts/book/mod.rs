//! The alerts that there are: one for all anomalies that have their cause in
//! common, from the first of them until none has come for a while.

use std::collections::VecDeque;

use crate::model::{Alert, Anomaly, WallTime};

/// When who is told.
#[derive(Clone, Debug)]
pub struct BookPolicy {
    /// An alert is over when nothing was found for so long, and one of the same
    /// rule and persona within that time is the same one, in nanoseconds.
    pub cooldown_ns: u64,
}

impl Default for BookPolicy {
    fn default() -> Self {
        Self { cooldown_ns: 60_000_000_000 }
    }
}

/// The alerts.
#[derive(Debug)]
pub(super) struct Book {
    news: VecDeque<Alert>,
}

impl Book {
    pub(super) fn new(_: &BookPolicy) -> Self {
        Self { news: VecDeque::new() }
    }

    /// Takes in what was found.
    pub(super) fn take(&mut self, found: &mut Vec<Anomaly>) {
        found.clear();
    }

    /// Time goes on.
    pub(super) fn tick(&mut self, _: WallTime) {}

    pub(super) fn next(&mut self) -> Option<Alert> {
        self.news.pop_front()
    }
}
