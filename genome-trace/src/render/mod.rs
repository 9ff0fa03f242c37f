//! From the model to text: JSON, the line for people, units, the summary.
//! Pure; `sink` is what writes.

pub mod doctor;
pub mod json;
pub mod line;
pub mod roster;
#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod sample;
mod si_code;
mod summary;
pub mod text;
mod time;
pub mod units;

pub use si_code::code_name;
pub use summary::{RingFill, Summary};
pub use time::{LocalDateTime, LocalTime, Utc};
