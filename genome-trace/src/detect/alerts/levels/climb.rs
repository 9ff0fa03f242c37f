//! Whether something climbs steadily: a straight line that explains what was
//! seen, without a turn, and as steep at its end as before.
//!
//! A ramp that levels off, a single step, a heap that is collected and values
//! that hang together by chance all rise for a while; each fails one of the
//! tests of [`Climb::judged`]. There are two windows: three quarters of a
//! minute for what stands out by itself, and five minutes for the rest.

use std::collections::VecDeque;

use super::super::super::series::{Line, line};

/// Looks in the short window, at one a second.
const SHORT: usize = 48;
/// Looks in the long window...
const LONG: usize = 60;
/// ...which takes one of so many seconds.
const LONG_STEP: f64 = 5.0;
/// Fewer looks say nothing; so do those of fewer seconds.
const FEWEST: usize = 40;
/// Looks that are closer together, in seconds, count as one.
const CLOSE: f64 = 0.5;
/// Of all that there is to explain, the line explains this part...
const FIT: f64 = 0.9;
/// ...and each third of the time is at least, and at most, so many times as
/// steep as the line.
const STEEP: std::ops::RangeInclusive<f64> = 0.4..=2.5;
/// Of the climb, one bundle of looks to the next goes down by no more than this
/// part...
const DOWN: f64 = 0.1;
/// ...where so many looks are a bundle: noise is taken out of their mean, and
/// what really turns is not.
const BUNDLE: usize = 3;

/// A steady climb.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Climbing {
    /// By how much it grows a second.
    pub(super) slope: f64,
    /// By how much it has grown in the window.
    pub(super) growth: f64,
    /// How long that is, in seconds.
    pub(super) seconds: f64,
    /// How sure it is, from 0 to 1.
    pub(super) confidence: f64,
}

/// How much there has to be of a climb.
#[derive(Clone, Copy, Debug)]
pub(super) struct Least {
    /// Growth that counts in the short window; `None` where that is not enough
    /// to judge by.
    pub(super) short: Option<f64>,
    /// Growth that counts in the long window.
    pub(super) long: f64,
    pub(super) confidence: f64,
}

/// A figure's last minutes.
#[derive(Clone, Debug, Default)]
pub(super) struct Climb {
    short: VecDeque<(f64, f64)>,
    long: VecDeque<(f64, f64)>,
}

impl Climb {
    /// Takes in a figure at a time in seconds.
    pub(super) fn add(&mut self, at: f64, value: f64) {
        if self.short.back().is_some_and(|(last, _)| at - last < CLOSE) {
            return;
        }
        push(&mut self.short, SHORT, (at, value));
        if self.long.back().is_none_or(|(last, _)| at - last >= LONG_STEP - CLOSE) {
            push(&mut self.long, LONG, (at, value));
        }
    }

    /// What was before says nothing of what comes.
    pub(super) fn clear(&mut self) {
        self.short.clear();
        self.long.clear();
    }

    /// The climb, where there is one.
    pub(super) fn climbing(&mut self, least: &Least) -> Option<Climbing> {
        let short = least
            .short
            .and_then(|growth| judged(self.short.make_contiguous(), growth, least.confidence));
        short.or_else(|| {
            let span = LONG_STEP * (LONG - 1) as f64 * 0.9;
            let long = self.long.make_contiguous();
            let (first, last) = (long.first()?, long.last()?);
            if last.0 - first.0 < span {
                return None;
            }
            judged(long, least.long, least.confidence)
        })
    }
}

fn push(points: &mut VecDeque<(f64, f64)>, most: usize, point: (f64, f64)) {
    if points.len() >= most {
        points.pop_front();
    }
    points.push_back(point);
}

fn judged(points: &[(f64, f64)], least: f64, confidence: f64) -> Option<Climbing> {
    let (first, last) = (points.first()?, points.last()?);
    let (growth, seconds) = (last.1 - first.1, last.0 - first.0);
    // What costs little comes first: nearly nobody gets any further.
    let is_short = points.len() < FEWEST || seconds < 0.9 * FEWEST as f64;
    if is_short || growth < least || growth <= 0.0 {
        return None;
    }
    if downs(points) > growth * DOWN {
        return None;
    }
    let third = points.len() / 3;
    let mean_slope = growth / seconds;
    let is_even = points.chunks(third.max(1)).filter(|part| part.len() == third).all(|part| {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { return false };
        let slope = (last.1 - first.1) / (last.0 - first.0);
        STEEP.contains(&(slope / mean_slope))
    });
    if !is_even {
        return None;
    }
    let Line { slope, deviations, fit } = line(points);
    let sure = two_sided(deviations);
    (slope > 0.0 && deviations > 0.0 && fit >= FIT && sure >= confidence).then_some(Climbing {
        slope,
        growth,
        seconds,
        confidence: sure,
    })
}

/// By how much it went down, all in all.
fn downs(points: &[(f64, f64)]) -> f64 {
    let bundles = points.chunks_exact(BUNDLE);
    let means = bundles.map(|of| of.iter().map(|(_, value)| value).sum::<f64>() / of.len() as f64);
    let falls = means.clone().zip(means.skip(1)).map(|(mean, next)| (mean - next).max(0.0));
    falls.sum()
}

/// The part of a normal distribution that is within so many deviations, by the
/// approximation of the error function in Abramowitz and Stegun (7.1.26), which
/// is off by 1.5e-7 at most. Never quite 1.
fn two_sided(deviations: f64) -> f64 {
    let x = deviations.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let sum = series.into_iter().fold(0.0, |sum, factor| (sum + factor) * t);
    (1.0 - sum * (-x * x).exp()).clamp(0.0, 0.999_999)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Least = Least { short: Some(30.0), long: 60.0, confidence: 0.99 };

    fn found_after(mut value: impl FnMut(f64) -> f64) -> Option<usize> {
        let mut climb = Climb::default();
        (0..600)
            .find(|second| {
                let at = f64::from(*second);
                climb.add(at, value(at));
                climb.climbing(&LEAST).is_some()
            })
            .map(|second| second as usize)
    }

    #[test]
    fn the_normal_distribution() {
        for (deviations, part) in [(0.0, 0.0), (1.0, 0.682_689), (1.96, 0.95), (-2.576, 0.99)] {
            assert!((two_sided(deviations) - part).abs() < 1e-4, "{deviations}");
        }
    }

    #[test]
    fn a_line_is_found_within_a_minute_of_its_beginning() {
        let found = found_after(|at| 100.0 + (at - 200.0).max(0.0));
        assert!(found.is_some_and(|at| (230..=255).contains(&at)), "{found:?}");
        // The kernel tells memory in lumps.
        let found = found_after(|at| 100.0 + (at / 3.0).floor() * 3.0);
        assert!(found.is_some_and(|at| at <= 60), "{found:?}");
    }

    #[test]
    fn what_levels_off_steps_or_turns_is_no_climb() {
        assert_eq!(found_after(|at| 1_000.0 * (1.0 - (-at / 15.0).exp())), None);
        assert_eq!(found_after(|at| if at < 100.0 { 10.0 } else { 500.0 }), None);
        assert_eq!(found_after(|at| 100.0 + (at % 30.0) * 5.0), None);
        assert_eq!(found_after(|at| 100.0 + 80.0 * (at / 20.0).sin()), None);
        assert_eq!(found_after(|at| (at * 3.0).min(90.0)), None);
    }

    #[test]
    fn the_slope_is_the_lines() {
        let mut climb = Climb::default();
        for second in 0..48 {
            climb.add(f64::from(second), 2.0 * f64::from(second));
        }
        let found = climb.climbing(&LEAST);
        assert!(found.is_some_and(|found| (found.slope - 2.0).abs() < 1e-9
            && (found.growth - 94.0).abs() < 1e-9
            && found.confidence > 0.999));
        climb.clear();
        assert_eq!(climb.climbing(&LEAST), None);
    }
}
