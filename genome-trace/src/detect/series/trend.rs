//! Where a line is heading: the slope of Theil and Sen, which a few wild values
//! do not turn, and the test of Mann and Kendall on it.

use super::{
    QUANTILE, RELEVANT,
    blocks::{Blocks, mean, median, persistence},
};
use crate::model::{SampleSpan, Stretch, TimeRange, Trend};

/// Fewer blocks say nothing.
const FEWEST: usize = 10;

/// Where the samples of a range are heading.
#[must_use]
pub fn trend(stretches: &[Stretch], range: TimeRange, span: SampleSpan) -> Trend {
    let Blocks { known } = Blocks::new(stretches, range, span);
    let (Some(first), Some(last)) = (known.first(), known.last()) else { return Trend::Unknown };
    if known.len() < FEWEST {
        return Trend::Unknown;
    }
    let Line { slope, deviations, .. } = line(&known);
    let mut values: Vec<f64> = known.iter().map(|(_, value)| *value).collect();
    let is_sure = deviations.abs() > QUANTILE;
    let moved = (slope * (last.0 - first.0)).abs();
    let level = median(&mut values).abs();
    if !is_sure || moved <= 0.0 || moved < RELEVANT * level {
        Trend::Stable
    } else if slope > 0.0 {
        Trend::Rising(slope)
    } else {
        Trend::Falling(slope)
    }
}

/// A line through points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::detect) struct Line {
    /// How much the value changes with each unit of time (Theil and Sen).
    pub(in crate::detect) slope: f64,
    /// How many standard deviations the balance of rises and falls (Mann and
    /// Kendall) is from that of values without a trend; negative for falls.
    pub(in crate::detect) deviations: f64,
    /// The part of the variance that the line explains.
    pub(in crate::detect) fit: f64,
}

/// The line through points in the order of their times, no two at the same.
pub(in crate::detect) fn line(points: &[(f64, f64)]) -> Line {
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    let mut balance = 0_i64;
    for (index, (at, value)) in points.iter().enumerate() {
        for (later, other) in points.iter().skip(index + 1) {
            slopes.push((other - value) / (later - at));
            balance += i64::from(other > value) - i64::from(other < value);
        }
    }
    let slope = median(&mut slopes);
    let mut values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    let rests: Vec<f64> = points.iter().map(|(at, value)| value - slope * at).collect();
    let fit = 1.0 - squares(&rests) / squares(&values);
    let deviation = variance(&mut values, persistence(&rests)).sqrt();
    // One off, since the balance comes in whole steps.
    let distance = (balance.unsigned_abs() as f64 - 1.0).max(0.0);
    let deviations = distance / deviation * balance.signum() as f64;
    Line {
        slope,
        deviations: if deviations.is_finite() { deviations } else { 0.0 },
        fit: if fit.is_finite() { fit } else { 0.0 },
    }
}

/// Of distances from the mean.
fn squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

/// That of the balance where there is no trend: with ties (Kendall), and for
/// values of which each takes over a part of the one before (Yue and Wang).
fn variance(values: &mut [f64], persistence: f64) -> f64 {
    let pairs = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len() as f64;
    let ties = values.chunk_by(|a, b| a == b).map(|tie| pairs(tie.len() as f64));
    let independent = (pairs(n) - ties.sum::<f64>()) / 18.0;
    let lags = 1..values.len();
    let together = lags.map(|lag| (1.0 - lag as f64 / n) * persistence.powf(lag as f64));
    independent * (1.0 + 2.0 * together.sum::<f64>())
}
