//! Where a line is heading: the slope of Theil and Sen, which a few wild values
//! do not turn, and the test of Mann and Kendall on it.

use super::{
    QUANTILE, RELEVANT,
    blocks::{Blocks, median, persistence},
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
    let mut slopes = Vec::with_capacity(known.len() * known.len() / 2);
    let mut balance = 0_i64;
    for (index, (at, value)) in known.iter().enumerate() {
        for (later, other) in known.iter().skip(index + 1) {
            slopes.push((other - value) / (later - at));
            balance += i64::from(other > value) - i64::from(other < value);
        }
    }
    let slope = median(&mut slopes);
    let mut values: Vec<f64> = known.iter().map(|(_, value)| *value).collect();
    let rests: Vec<f64> = known.iter().map(|(at, value)| value - slope * at).collect();
    let deviation = variance(&mut values, persistence(&rests)).sqrt();
    // One off, since the balance comes in whole steps.
    let is_sure = (balance.unsigned_abs() as f64 - 1.0) > QUANTILE * deviation;
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
