//! Into steps of equal length.

use crate::model::{Point, SampleSpan, Stretch, TimeRange};

/// Length of steps of which there are `wanted` or fewer: a whole number of what
/// is kept, so that none of it lies in two.
#[must_use]
pub fn step_ns(range: TimeRange, span: SampleSpan, wanted: usize) -> u64 {
    let kept = length_ns(range).div_ceil(span.ns());
    kept.div_ceil((wanted as u64).max(1)).max(1).saturating_mul(span.ns())
}

/// A point for each step of a range; `None` where no sample is in it. What
/// began outside of the range is left out.
#[must_use]
pub fn resample(stretches: &[Stretch], range: TimeRange, step_ns: u64) -> Vec<Option<Point>> {
    let step_ns = step_ns.max(1);
    // Nobody can show more, and a wrong range must not take all memory.
    let steps = length_ns(range).div_ceil(step_ns).min(1 << 20);
    let mut points = vec![None; usize::try_from(steps).unwrap_or(0)];
    for stretch in stretches.iter().filter(|stretch| stretch.count > 0) {
        let since = stretch.wall_time.unix_ns.checked_sub(range.from.unix_ns);
        let step = since.and_then(|since| u64::try_from(since).ok()).map(|since| since / step_ns);
        let step = step.and_then(|step| usize::try_from(step).ok());
        let Some(slot) = step.and_then(|step| points.get_mut(step)) else { continue };
        *slot = Some(match *slot {
            None => Point {
                count: stretch.count,
                min: stretch.min,
                average: stretch.average,
                max: stretch.max,
            },
            Some(point) => added(point, stretch),
        });
    }
    points
}

fn added(point: Point, stretch: &Stretch) -> Point {
    let count = point.count + stretch.count;
    let weight = stretch.count as f64 / count as f64;
    Point {
        count,
        min: point.min.min(stretch.min),
        average: point.average + (stretch.average - point.average) * weight,
        max: point.max.max(stretch.max),
    }
}

fn length_ns(range: TimeRange) -> u64 {
    u64::try_from(range.until.unix_ns.saturating_sub(range.from.unix_ns)).unwrap_or(0)
}
