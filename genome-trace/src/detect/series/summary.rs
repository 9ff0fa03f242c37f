//! What samples come to.

use crate::model::{Stretch, Summary};

/// All in all; `None` where there is no sample.
#[must_use]
pub fn summarize(stretches: &[Stretch]) -> Option<Summary> {
    let mut known: Vec<&Stretch> = stretches.iter().filter(|of| of.count > 0).collect();
    let last = known.iter().max_by_key(|of| of.wall_time)?.last;
    let count: u64 = known.iter().map(|of| of.count).sum();
    let min = known.iter().map(|of| of.min).fold(f64::INFINITY, f64::min);
    let max = known.iter().map(|of| of.max).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = known.iter().map(|of| of.average * of.count as f64).sum();
    // Sums are rounded, and an average is never outside of what it is of.
    let average = (sum / count as f64).max(min).min(max);
    known.sort_unstable_by(|a, b| a.average.total_cmp(&b.average));
    // The first that 95 of 100 samples are no higher than.
    let rank = (u128::from(count) * 95).div_ceil(100);
    let mut seen = 0_u128;
    let p95 = known.iter().find(|of| {
        seen += u128::from(of.count);
        seen >= rank
    });
    let p95 = p95.map_or(max, |of| of.average).max(min).min(max);
    Some(Summary { count, min, average, p95, max, last })
}
