//! The detectors on the way of events, and what becomes of their alerts: they
//! are kept, told, and passed on as events.

use super::Keep;
use crate::{
    detect::Detectors,
    kernel::clock::boot_ns,
    model::{Alert, Event, GpuSnapshot, RecentCrash, Usage},
};

/// What is watched for, and who is told of it.
pub struct AlertParts {
    /// What finds them.
    pub detectors: Detectors,
    /// Takes what has become of an alert. It is not to wait for anything.
    pub tell: Box<dyn FnMut(&Alert)>,
}

/// What was learned is kept after so many looks: once a minute.
const LOOKS_KEPT_AFTER: u32 = 60;

/// The detectors of a run.
pub(super) struct Alerts {
    parts: AlertParts,
    /// Since what was learned was kept last.
    looks: u32,
}

impl Alerts {
    pub(super) fn new(parts: AlertParts) -> Self {
        Self { parts, looks: 0 }
    }

    /// Once a minute, and at the end of a run, what was learned is kept; what
    /// was ordered to be forgotten is so before.
    pub(super) fn keep_learned(&mut self, keep: &Keep, is_over: bool) {
        self.looks += 1;
        let orders = keep.forget_orders();
        let baselines = self.parts.detectors.baselines_mut();
        for order in &orders {
            baselines.forget(order.persona.as_deref(), order.ordered);
        }
        if is_over || self.looks >= LOOKS_KEPT_AFTER {
            self.looks = 0;
            let changed = baselines.take_changed();
            if !changed.is_empty() {
                keep.baselines(changed);
            }
        }
    }

    pub(super) fn hear(&mut self, event: &Event<'_>) {
        self.parts.detectors.hear(event);
    }

    pub(super) fn look(&mut self, usage: &Usage, gpus: Option<&GpuSnapshot>) {
        self.parts.detectors.look(usage, gpus);
    }

    pub(super) fn crashed(&mut self, crash: &RecentCrash) {
        self.parts.detectors.crashed(crash);
    }

    /// The next alert of which something has become; those who are to be told
    /// have been.
    pub(super) fn next(&mut self) -> Option<Alert> {
        let alert = self.parts.detectors.next_alert()?;
        (self.parts.tell)(&alert);
        Some(alert)
    }
}

/// What has become of an alert, as an event.
pub(super) fn event(alert: &Alert) -> Event<'_> {
    alert.event(boot_ns())
}
