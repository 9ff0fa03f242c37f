//! What tracing costs: for people, as JSON and as metrics.

#[cfg(test)]
mod documented;
mod metrics;
mod report;
#[cfg(test)]
mod tests;

pub use metrics::write_metrics;
pub use report::write_text;

use std::io;

use crate::model::Cost;

/// Writes one JSON object on one line.
///
/// # Errors
/// None with a `Vec`; the writer's otherwise.
pub fn write_json(out: &mut Vec<u8>, cost: &Cost) -> io::Result<()> {
    serde_json::to_writer(&mut *out, cost)?;
    out.push(b'\n');
    Ok(())
}
