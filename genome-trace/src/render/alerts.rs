//! What went wrong in a stretch of time, or does so now: for people, as JSON,
//! as CSV and as metrics.

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

pub use csv::write_csv;
pub use json::write_json;
pub use metrics::write_metrics;
pub use report::write_text;
