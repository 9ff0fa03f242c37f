//! The detectors on the way of events, and what becomes of their alerts: they
//! are kept, told, and passed on as events.

use crate::{
    detect::Detectors,
    kernel::{clock::boot_ns, file_content::ContentReader},
    model::{Alert, Event, GpuSnapshot, ProcessRecord, RecentCrash, Usage, WallTime},
};

/// What is watched for, and who is told of it.
pub struct AlertParts {
    /// What finds them.
    pub detectors: Detectors,
    /// Looks at new files' beginnings; without it nobody does.
    pub contents: Option<ContentReader>,
    /// Takes what has become of an alert. It is not to wait for anything.
    pub tell: Box<dyn FnMut(&Alert)>,
}

/// The detectors of a run.
pub(super) struct Alerts(AlertParts);

impl Alerts {
    pub(super) fn new(parts: AlertParts) -> Self {
        Self(parts)
    }

    /// A process that was there before the trace.
    pub(super) fn process(&mut self, record: &ProcessRecord) {
        self.0.detectors.process(record);
    }

    pub(super) fn hear(&mut self, event: &Event<'_>) {
        self.0.detectors.hear(event);
    }

    pub(super) fn look(&mut self, usage: &Usage, gpus: Option<&GpuSnapshot>) {
        self.0.detectors.look(usage, gpus);
        self.look_into_files();
    }

    /// Time goes on, where nobody looks.
    pub(super) fn tick(&mut self, wall_time: WallTime) {
        self.0.detectors.tick(boot_ns(), wall_time);
    }

    fn look_into_files(&mut self) {
        let AlertParts { detectors, contents, .. } = &mut self.0;
        let Some(contents) = contents else { return detectors.drop_to_read() };
        while let Some(read) = contents.answer() {
            detectors.read(&read);
        }
        while let Some(file) = detectors.next_to_read() {
            // What there is no room for is left out, as what cannot be read is.
            if !contents.ask(file) {
                return detectors.drop_to_read();
            }
        }
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
