//! Who crashed, of what, and what speaks for that: for people, as JSON, as CSV
//! and as metrics.

mod block;
mod csv;
#[cfg(test)]
mod documented;
mod json;
mod metrics;
mod report;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
pub(in crate::render) mod words;

pub use csv::write_csv;
pub use json::write_json;
pub use metrics::write_metrics;
pub use report::write_text;
