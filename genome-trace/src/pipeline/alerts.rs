//! The detectors on the way of events, and what becomes of their alerts: they
//! are kept, told, and passed on as events.

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

/// The detectors of a run.
pub(super) struct Alerts(AlertParts);

impl Alerts {
    pub(super) fn new(parts: AlertParts) -> Self {
        Self(parts)
    }

    pub(super) fn hear(&mut self, event: &Event<'_>) {
        self.0.detectors.hear(event);
    }

    pub(super) fn look(&mut self, usage: &Usage, gpus: Option<&GpuSnapshot>) {
        self.0.detectors.look(usage, gpus);
    }

    pub(super) fn crashed(&mut self, crash: &RecentCrash) {
        self.0.detectors.crashed(crash);
    }

    /// The next alert of which something has become; those who are to be told
    /// have been.
    pub(super) fn next(&mut self) -> Option<Alert> {
        let alert = self.0.detectors.next_alert()?;
        (self.0.tell)(&alert);
        Some(alert)
    }
}

/// What has become of an alert, as an event.
pub(super) fn event(alert: &Alert) -> Event<'_> {
    alert.event(boot_ns())
}
