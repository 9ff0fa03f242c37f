//! The one screen of `--stats`: how the machine is, its GPUs, who uses what, how
//! the last minutes went, warnings and recommendations; for people, as JSON, as
//! CSV and as metrics.

mod csv;
#[cfg(test)]
mod documented;
mod json;
mod metrics;
mod report;
#[cfg(test)]
pub(super) mod sample;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use csv::write_csv;
pub use json::write_json;
pub(super) use json::{AdviceObject, ReasonObject, advice, reason};
pub use metrics::write_metrics;
pub use report::write_text;
pub(super) use report::{reasons, recommendations, score, table, whose};
