//! What a recorder exposes, as metrics: figures of personas and of the machine,
//! and what was counted. Of processes there is nothing: a PID in a label would
//! be a new series with every start.

mod counters;
#[cfg(test)]
mod documented;
mod labels;
mod personas;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub(super) use labels::Whose;
pub use personas::SHOWN_PERSONAS;
pub(super) use personas::add as add_usage;

use super::{open_metrics::OpenMetrics, stats};
use crate::model::{Exposed, PersonaUsage};

/// Adds what these personas use.
pub(super) fn add_personas(metrics: &mut OpenMetrics, personas: &[PersonaUsage]) {
    personas::of_personas(metrics, &personas::sums(personas));
}

/// Adds every metric to `metrics`. What is unknown has no sample.
#[must_use]
pub fn metrics(mut metrics: OpenMetrics, exposed: &Exposed) -> String {
    counters::add(&mut metrics, exposed);
    if let Some(usage) = &exposed.usage {
        personas::add(&mut metrics, usage);
    }
    if let Some(snapshot) = &exposed.gpus {
        stats::add_gpus(&mut metrics, &snapshot.gpus);
    }
    metrics.finish()
}
