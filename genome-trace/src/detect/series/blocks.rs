//! Averages of longer times, and how much they hang together.

use super::resample::{resample, step_ns};
use crate::model::{SampleSpan, Stretch, TimeRange};

/// Enough for the tests, and few enough to compare each with each.
const MOST: usize = 48;

/// The blocks of a stretch of time.
pub(super) struct Blocks {
    /// When, in hours from the range's begin, and the average.
    pub(super) known: Vec<(f64, f64)>,
}

impl Blocks {
    pub(super) fn new(stretches: &[Stretch], range: TimeRange, span: SampleSpan) -> Self {
        const HOUR_NS: f64 = 3_600e9;
        let step_ns = step_ns(range, span, MOST);
        let hours = step_ns as f64 / HOUR_NS;
        let points = resample(stretches, range, step_ns);
        let known = points.iter().enumerate().filter_map(|(index, point)| {
            let average = point.as_ref()?.average;
            average.is_finite().then_some((index as f64 * hours, average))
        });
        Self { known: known.collect() }
    }
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The part of a value's distance from the mean that the next one takes over,
/// from 0 to 0.95. The estimate is low for few values, which is corrected as
/// Kendall and Marriott-Pope do: by (1 + 4 r) / n.
pub(super) fn persistence(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if squares <= 0.0 {
        return 0.0;
    }
    let pairs = values.iter().zip(values.iter().skip(1));
    let products: f64 = pairs.map(|(a, b)| (a - mean) * (b - mean)).sum();
    let low = products / squares;
    (low + (1.0 + 4.0 * low) / values.len() as f64).clamp(0.0, 0.95)
}

/// The median; 0 of nothing.
pub(super) fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if middle >= values.len() {
        return 0.0;
    }
    let is_odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if is_odd {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    lower + (upper - lower) / 2.0
}
