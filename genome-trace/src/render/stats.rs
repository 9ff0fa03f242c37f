//! The GPUs as they are now and who holds their memory: a part of `--stats`, for
//! people, as JSON and as metrics.

mod block;
#[cfg(test)]
mod documented;
mod json;
mod metrics;
mod report;
#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod sample;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub(super) use json::{Report, object};
pub(super) use metrics::add;
pub use metrics::add_gpus;
pub(super) use report::write;
