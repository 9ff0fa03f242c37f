//! Whether a command does the same as before: the names of its folders, the
//! runs of two reports against each other, and the rules of the gate.

mod compare;
mod component;
mod gate;
mod mann_whitney;
mod names;
mod notes;
mod number;
mod places;
mod rule;
#[cfg(test)]
mod tests;

pub use compare::{DEFAULT_TOLERANCE_PERCENT, compare_runs};
pub use gate::{judge_rules, rule_obstacle};
pub use places::Places;
pub use rule::GateRule;

/// What chance does so seldom is taken for something else.
const SIGNIFICANT: f64 = 0.05;
