//! From the model to text: JSON, the line for people, units, the summary.
//! Pure; `sink` is what writes.

pub mod act;
mod alert;
pub mod alerts;
pub mod baselines;
pub mod chart;
pub mod compare;
pub mod cost;
pub mod crashes;
mod csv;
pub mod doctor;
#[cfg(test)]
mod documented;
pub mod exposition;
mod figure;
mod form;
mod gaps;
mod gpu_notice;
pub mod health;
pub mod history;
pub mod json;
mod layout;
pub mod line;
pub mod open_metrics;
pub mod overview;
pub mod persona_report;
pub mod predict;
pub mod regression;
pub mod roster;
#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod sample;
pub mod session_report;
pub mod session_rows;
mod si_code;
pub mod stats;
mod summary;
mod summary_json;
pub mod text;
pub mod time;
pub mod units;
pub(crate) mod usage_table;

pub use figure::Figure;
pub use form::Form;
pub use gpu_notice::GpuNotice;
pub use si_code::code_name;
pub use summary::{RingFill, Summary};
pub use time::{LocalDateTime, LocalTime, Utc};
