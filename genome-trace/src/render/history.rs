//! How figures went over a stretch of time: for people, as JSON, as CSV and as
//! metrics.

mod csv;
#[cfg(test)]
mod documented;
mod json;
mod metrics;
mod report;
#[cfg(test)]
pub(super) mod sample;
#[cfg(test)]
mod tests;

pub use csv::write_csv;
pub use json::write_json;
pub(super) use json::{SeriesObject, series};
pub use metrics::write_metrics;
pub(super) use report::read_by;
pub use report::{Look, write_text};
