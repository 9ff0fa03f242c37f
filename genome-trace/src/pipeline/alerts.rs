//! The detectors on the way of events, and what becomes of their alerts: they
//! are kept, told, and passed on as events.

use super::{Attribution, Keep};
use crate::{
    detect::{DetectPolicy, Detectors},
    kernel::{clock::boot_ns, file_content::ContentReader, open_files_limit::open_files_limit},
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

    /// A process that was there before the trace.
    pub(super) fn process(&mut self, record: &ProcessRecord) {
        self.parts.detectors.process(record);
    }

    /// From now on.
    pub(super) fn set_policy(&mut self, policy: &DetectPolicy) {
        self.parts.detectors.set_policy(policy);
    }

    pub(super) fn hear(&mut self, event: &Event<'_>) {
        self.parts.detectors.hear(event);
    }

    pub(super) fn look(&mut self, usage: &Usage, gpus: Option<&GpuSnapshot>, whose: &Attribution) {
        let detectors = &mut self.parts.detectors;
        for of in &usage.personas {
            // One that is called the same by two rules is of the elder's.
            let oldest = of.processes.iter().min_by_key(|process| process.key.start_time);
            if let Some(source) = oldest.and_then(|process| whose.source_now(process.key)) {
                detectors.recognised(&of.persona, source);
            }
        }
        detectors.look(usage, gpus);
        while let Some(key) = detectors.next_to_ask() {
            detectors.answer(key, open_files_limit(key));
        }
        self.look_into_files();
    }

    /// Counts are about to be taken.
    pub(super) fn flushing(&mut self) {
        self.parts.detectors.flushing(boot_ns());
    }

    /// Time goes on, where nobody looks.
    pub(super) fn tick(&mut self, wall_time: WallTime) {
        self.parts.detectors.tick(boot_ns(), wall_time);
    }

    fn look_into_files(&mut self) {
        let AlertParts { detectors, contents, .. } = &mut self.parts;
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
