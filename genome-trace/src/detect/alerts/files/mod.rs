//! Files that are created, copied and thrown away in masses, by persona and
//! folder.

use super::Baselines;
use crate::model::{Anomaly, Event, WallTime};

/// When it is too much.
#[derive(Clone, Debug, Default)]
pub struct FilePolicy {}

/// Who creates what where.
#[derive(Debug)]
pub(super) struct FileWatch {}

impl FileWatch {
    pub(super) fn new(_: &FilePolicy) -> Self {
        Self {}
    }

    pub(super) fn hear(&mut self, _: &Event<'_>, _: &mut Baselines, _: &mut Vec<Anomaly>) {}

    /// Time goes on.
    pub(super) fn look(&mut self, _: WallTime, _: &mut Baselines, _: &mut Vec<Anomaly>) {}
}
