//! Detectors, and who is told of their alerts, as it is configured.

use std::{path::Path, sync::Arc};

use super::{approvals::Approvals, config::Config, remedies::Remedies};
use crate::{
    detect::{Baselines, Detectors},
    pipeline::AlertParts,
    store::Store,
};

/// The detectors of a run that sees everything.
pub(super) fn parts(config: &Config, remedies: Option<Remedies>) -> AlertParts {
    let detectors = Detectors::new(&config.detect_policy(), Baselines::default());
    AlertParts {
        detectors,
        tell: Box::new(move |alert| {
            if let Some(remedies) = &remedies {
                remedies.hear(alert);
            }
        }),
    }
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
