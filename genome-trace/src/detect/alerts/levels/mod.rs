//! What is looked at once a second, held against habits and limits: jumps,
//! steady climbs, and what is close to its limit.

use super::Baselines;
use crate::model::{Anomaly, Event, GpuSnapshot, Usage};

/// When it is too much.
#[derive(Clone, Debug, Default)]
pub struct LevelPolicy {}

/// How everybody's figures go.
#[derive(Debug)]
pub(super) struct LevelWatch {}

impl LevelWatch {
    pub(super) fn new(_: &LevelPolicy) -> Self {
        Self {}
    }

    pub(super) fn hear(&mut self, _: &Event<'_>, _: &mut Vec<Anomaly>) {}

    pub(super) fn look(
        &mut self,
        _: &Usage,
        _: Option<&GpuSnapshot>,
        _: &mut Baselines,
        _: &mut Vec<Anomaly>,
    ) {
    }
}
