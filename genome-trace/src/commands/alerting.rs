//! Detectors, and who is told of their alerts, as it is configured.

use super::config::Config;
use crate::{
    detect::{Baselines, Detectors},
    kernel::file_content::ContentReader,
    pipeline::AlertParts,
};

/// The detectors of a run that sees everything.
pub(super) fn parts(config: &Config) -> AlertParts {
    let policy = config.detect_policy();
    // Without a thread there are no duplicates, and everything else.
    let contents = match policy.files.reads_per_second {
        0 => None,
        _ => ContentReader::start().ok(),
    };
    let detectors = Detectors::new(&policy, Baselines::default());
    AlertParts { detectors, contents, tell: Box::new(|_| {}) }
}
