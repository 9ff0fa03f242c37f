//! Detectors, and who is told of their alerts, as it is configured.

use std::{path::Path, sync::Arc};

use super::{approvals::Approvals, config::Config, remedies::Remedies};
use crate::{
    detect::{Baselines, DetectPolicy, Detectors},
    kernel::file_content::ContentReader,
    model::Alert,
    pipeline::AlertParts,
    store::{History as _, Place, Reader, Store, StoreError},
};

/// The detectors of a run that sees everything, and `tell`, who hears of their
/// alerts. They begin with what was learned before, which is in the store.
pub(super) fn parts(
    config: &Config,
    store: &Path,
    tell: impl FnMut(&Alert) + 'static,
) -> AlertParts {
    let policy = config.detect_policy();
    // Without a thread there are no duplicates, and everything else.
    let contents = match policy.files.reads_per_second {
        0 => None,
        _ => ContentReader::start().ok(),
    };
    let detectors = Detectors::new(&policy, learned(&policy, store));
    AlertParts { detectors, contents, tell: Box::new(tell) }
}

/// What does something about alerts; `None` where that is off.
pub(super) fn remedies(
    config: &Config,
    dry_run: bool,
    place: &Path,
    store: Arc<dyn Store>,
) -> anyhow::Result<Option<Remedies>> {
    let policy = config.remedies().policy(dry_run);
    policy.map(|policy| Remedies::start(policy, Approvals::of(place), store)).transpose()
}

/// What cannot be read is learned anew.
fn learned(policy: &DetectPolicy, store: &Path) -> Baselines {
    match Reader::open(Place::new(store)).and_then(|reader| reader.baselines()) {
        Ok(rows) => Baselines::from_rows(&rows, &policy.habits),
        // The store tells by itself what is the matter with it.
        Err(StoreError::Missing { .. }) => Baselines::new(policy.habits.clone()),
        Err(error) => {
            eprintln!("genome-trace: {error}; what personas are used to is learned anew");
            Baselines::new(policy.habits.clone())
        }
    }
}
