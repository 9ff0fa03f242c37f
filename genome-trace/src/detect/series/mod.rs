//! How figures went: steps, what they come to, where they are heading, and
//! whether two stretches differ.
//!
//! Samples of one second hang together, so a test that took each for a fresh
//! look would find a difference everywhere. Both tests look at blocks: at most
//! 48 averages of a stretch, and what even these hang together (their lag-1
//! autocorrelation) counts as fewer looks. A screen has hundreds of figures, so
//! one false alarm in a thousand is what a test may raise.

mod blocks;
mod change;
mod differences;
mod drift;
mod first_peak;
mod forecast;
mod join;
mod resample;
mod student;
mod summary;
#[cfg(test)]
mod tests;
mod trend;

pub use change::{change, percent};
pub use differences::{Times, differences};
pub use forecast::forecast;
pub use join::joined;
pub use resample::{resample, step_ns};
pub use summary::summarize;
pub use trend::trend;
pub(super) use trend::{Line, line};

/// The normal quantile that one of a thousand exceeds, on both sides together.
const QUANTILE: f64 = 3.290_526_731_491_926;
/// A difference of less than this part is of no interest, however sure it is.
const RELEVANT: f64 = 0.05;
