//! From which figure to which an axis goes.

use crate::model::{Point, Unit};

/// The ends of an axis of figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
}

/// What lies closer together than this share of its height is noise to those
/// who look: it is not drawn larger than that.
const NOISE: f64 = 0.2;

impl Scale {
    /// Round ends around the points. It begins at 0 unless all figures lie
    /// close together far from it.
    pub(super) fn around(points: &[Option<Point>], unit: Unit, band: bool) -> Self {
        let ends = |point: &Point| {
            if band { (point.min, point.max) } else { (point.average, point.average) }
        };
        let known = || points.iter().flatten().map(ends);
        let min = known().map(|(min, _)| min).filter(|of| of.is_finite()).reduce(f64::min);
        let max = known().map(|(_, max)| max).filter(|of| of.is_finite()).reduce(f64::max);
        let (Some(min), Some(max)) = (min, max) else { return Self { low: 0.0, high: 1.0 } };
        if min >= 0.0 && (min < max * 0.5 || min == max) {
            let high = if max > 0.0 { round_up(max, unit) } else { 1.0 };
            return Self { low: 0.0, high };
        }
        let span = if max > min { (max - min).max(max.abs() * NOISE) } else { max.abs() };
        let part = round_up(span / 4.0, unit);
        let (low, high) = ((min / part).floor() * part, (max / part).ceil() * part);
        if low < high { Self { low, high } } else { Self { low, high: low + part } }
    }

    /// The same from 0 on.
    pub(super) fn down_to_zero(self, unit: Unit) -> Self {
        Self { low: 0.0, high: round_up(self.high, unit) }
    }

    /// Where a figure lies between the ends, from 0 to 1.
    pub(super) fn place(self, value: f64) -> f64 {
        let place = (value - self.low) / (self.high - self.low);
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.0 }
    }

    pub(super) fn middle(self) -> f64 {
        self.low + (self.high - self.low) / 2.0
    }
}

/// The next figure that people call round, whose half is round as well.
fn round_up(value: f64, unit: Unit) -> f64 {
    const TENS: [f64; 9] = [1.0, 1.2, 1.6, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0];
    const TWOS: [f64; 3] = [1.0, 1.5, 2.0];
    let is_binary = matches!(unit, Unit::Bytes | Unit::BytesPerSecond);
    let (base, parts) = if is_binary {
        (2_f64.powf(value.log2().floor()), TWOS.as_slice())
    } else {
        (10_f64.powf(value.log10().floor()), TENS.as_slice())
    };
    let found = parts.iter().map(|part| part * base).find(|round| *round >= value);
    found.filter(|round| round.is_finite() && *round > 0.0).unwrap_or(value.max(f64::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(values: &[f64], unit: Unit) -> (f64, f64) {
        let point =
            |value: &f64| Some(Point { count: 1, min: *value, average: *value, max: *value });
        let points: Vec<_> = values.iter().map(point).collect();
        let scale = Scale::around(&points, unit, false);
        (scale.low, scale.high)
    }

    #[test]
    fn ends_are_round() {
        assert_eq!(around(&[3.0, 87.0], Unit::Percent), (0.0, 100.0));
        assert_eq!(around(&[3.0, 700.0 * 1024.0], Unit::Bytes), (0.0, 768.0 * 1024.0));
        assert_eq!(around(&[1000.0, 1300.0], Unit::Count), (960.0, 1360.0));
        assert_eq!(around(&[0.0, 0.0], Unit::Count), (0.0, 1.0));
        assert_eq!(around(&[5.0], Unit::Count), (0.0, 6.0));
        assert_eq!(around(&[], Unit::Count), (0.0, 1.0));
        assert_eq!(around(&[-5.0, 5.0], Unit::Count), (-6.0, 6.0));
    }

    #[test]
    fn a_trifle_does_not_fill_the_chart() {
        assert_eq!(around(&[1000.0, 1010.0], Unit::Count), (960.0, 1020.0));
    }
}
