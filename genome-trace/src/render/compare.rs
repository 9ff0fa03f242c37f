//! A stretch of time against an earlier one: for people, as JSON and as CSV.

mod csv;
#[cfg(test)]
mod documented;
mod json;
mod report;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use csv::write_csv;
pub use json::write_json;
pub use report::write_text;
