//! Whether two stretches differ: Welch's test on their blocks.

use super::{
    RELEVANT,
    blocks::{Blocks, mean, persistence},
    student::Level,
};
use crate::model::{Change, SampleSpan, Stretch, Summary, TimeRange};

/// Fewer blocks say nothing.
const FEWEST: usize = 5;

/// How much an average is above that of then, in percent; `None` where there
/// is nothing to compare, or nothing was used then.
#[must_use]
pub fn percent(now: Option<&Summary>, then: Option<&Summary>) -> Option<f64> {
    let (now, then) = (now?.average, then?.average);
    let percent = (now - then) / then.abs() * 100.0;
    percent.is_finite().then_some(percent)
}

/// What is different in `now`, a stretch of samples with its range. The
/// averages must be further apart than their blocks' spread explains, and by a
/// twentieth of the earlier one at least.
#[must_use]
pub fn change(
    now: (&[Stretch], TimeRange),
    then: (&[Stretch], TimeRange),
    span: SampleSpan,
) -> Change {
    let (Some(now), Some(then)) = (Sample::new(now, span), Sample::new(then, span)) else {
        return Change::Unknown;
    };
    let difference = now.mean - then.mean;
    if difference.abs() < RELEVANT * then.mean.abs() || difference == 0.0 {
        return Change::Unchanged;
    }
    let variance = now.error + then.error;
    let degrees = variance.powi(2)
        / (now.error.powi(2) / (now.looks - 1.0) + then.error.powi(2) / (then.looks - 1.0));
    // No spread at all is no number of degrees; then any difference is sure.
    if variance > 0.0 && difference.abs() <= Level::THOUSAND.quantile(degrees) * variance.sqrt() {
        return Change::Unchanged;
    }
    if difference > 0.0 { Change::Worse } else { Change::Improved }
}

/// What the test has to know of a stretch.
struct Sample {
    mean: f64,
    /// Blocks that would say as much if none hung together with another.
    looks: f64,
    /// The variance of the mean.
    error: f64,
}

impl Sample {
    fn new((stretches, range): (&[Stretch], TimeRange), span: SampleSpan) -> Option<Self> {
        let blocks = Blocks::new(stretches, range, span);
        let values: Vec<f64> = blocks.known.iter().map(|(_, value)| *value).collect();
        if values.len() < FEWEST {
            return None;
        }
        let mean = mean(&values);
        let n = values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let r = persistence(&values);
        let looks = (n * (1.0 - r) / (1.0 + r)).max(2.0);
        Some(Self { mean, looks, error: squares / (n - 1.0) / looks })
    }
}
