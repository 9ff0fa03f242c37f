//! Who hears of every event, whatever is shown.

use super::{alerts::Alerts, keep::Keep, sampling::Sampling};
use crate::model::Event;

/// Those that there are.
pub(super) struct Listeners {
    /// What goes to a store.
    pub(super) keep: Option<Keep>,
    /// What everybody uses.
    pub(super) sampling: Option<Sampling>,
    /// What goes wrong.
    pub(super) alerts: Option<Alerts>,
}

impl Listeners {
    pub(super) fn hear(&mut self, event: &Event<'_>) {
        if let Some(sampling) = &mut self.sampling {
            sampling.hear(event);
        }
        if let Some(alerts) = &mut self.alerts {
            alerts.hear(event);
        }
        if let Some(keep) = &mut self.keep {
            keep.event(event);
        }
    }
}
