//! When a line reaches a limit: a fit of what was seen last, and how far off
//! that may be by what the fit leaves over.
//!
//! What is left over hangs together from look to look, so it counts as fewer
//! looks than it is (its lag-1 autocorrelation). The interval is Fieller's: the
//! times at which the limit is inside of what the line, its slope and the noise
//! around it leave open.

use super::{
    blocks::{mean, persistence},
    student::Level,
};
use crate::model::{Forecast, NoForecast, WallTime};

/// Blocks that the looks are averaged to: neighbours in one block are as good
/// as one look.
const BLOCKS: usize = 60;
/// Fewer looks say nothing.
const FEWEST: usize = 30;
/// A limit that is more than so many times as far away as the time that was
/// looked at: slopes do not last.
const REACH: f64 = 20.0;
/// Parts that are looked at alone where all of it is no line: what was there
/// before a change says nothing of what comes.
const LAST_PARTS: [usize; 4] = [1, 2, 4, 8];

/// When `looks`, in the order of time, will reach `limit`.
///
/// # Errors
/// Why that cannot be said.
pub fn forecast(looks: &[(WallTime, f64)], limit: f64) -> Result<Forecast, NoForecast> {
    let Some((now, last)) = looks.last().copied() else { return Err(NoForecast::TooFew) };
    let known: Vec<(f64, f64)> = looks
        .iter()
        .filter(|(at, value)| value.is_finite() && at.unix_ns <= now.unix_ns)
        .map(|(at, value)| ((at.unix_ns.saturating_sub(now.unix_ns)) as f64 / 1e9, *value))
        .collect();
    let mut why = NoForecast::TooFew;
    for part in LAST_PARTS {
        let from = known.len() - known.len() / part;
        let Some(part) = known.get(from..).filter(|part| part.len() >= FEWEST) else { break };
        let Some(line) = Line::through(part) else { continue };
        match line.reaches(limit, last) {
            Err(reason @ (NoForecast::NotALine | NoForecast::NotRising)) => why = reason,
            told => return told,
        }
    }
    Err(why)
}

/// A line through blocks, by least squares. Time is in seconds, 0 is now.
struct Line {
    /// The middle of the times, and the line's height there.
    middle: f64,
    height: f64,
    slope: f64,
    /// Variance of what is left over, of one block.
    rest: f64,
    /// The sum of the squares of the times, from their middle.
    spread: f64,
    /// By how much what is left over counts more than if it were independent.
    together: f64,
    blocks: f64,
    looks: usize,
    window: f64,
    explained: f64,
    /// A curve fits better by more than chance.
    bends: bool,
}

impl Line {
    fn through(looks: &[(f64, f64)]) -> Option<Self> {
        let blocks = averaged(looks);
        let n = blocks.len() as f64;
        let times: Vec<f64> = blocks.iter().map(|(at, _)| *at).collect();
        let values: Vec<f64> = blocks.iter().map(|(_, value)| *value).collect();
        let (middle, height) = (mean(&times), mean(&values));
        let spread: f64 = times.iter().map(|at| (at - middle).powi(2)).sum();
        let total: f64 = values.iter().map(|value| (value - height).powi(2)).sum();
        // Of figures that are too large to be squared nothing follows.
        if spread <= 0.0 || n < 4.0 || !total.is_finite() {
            return None;
        }
        let product: f64 = blocks.iter().map(|(at, value)| (at - middle) * (value - height)).sum();
        let slope = product / spread;
        let rests: Vec<f64> =
            blocks.iter().map(|(at, value)| value - height - slope * (at - middle)).collect();
        let left: f64 = rests.iter().map(|rest| rest * rest).sum();
        let r = persistence(&rests);
        let window = looks.first().map_or(0.0, |(at, _)| -at);
        let mut line = Self {
            middle,
            height,
            slope,
            rest: left / (n - 2.0),
            spread,
            together: (1.0 + r) / (1.0 - r),
            blocks: n,
            looks: looks.len(),
            window,
            explained: if total > 0.0 { 1.0 - left / total } else { 0.0 },
            bends: false,
        };
        line.bends = line.is_a_curve(&times, &rests);
        Some(line)
    }

    /// Degrees of freedom that are left.
    fn degrees(&self) -> f64 {
        (self.blocks / self.together - 2.0).max(1.0)
    }

    /// Whether a parabola through what is left over is more than chance: as
    /// the noise hangs together most where there is a bend, that is taken off
    /// before its own persistence is asked for.
    fn is_a_curve(&self, times: &[f64], rests: &[f64]) -> bool {
        let squares: Vec<f64> = times.iter().map(|at| (at - self.middle).powi(2)).collect();
        let centre = mean(&squares);
        let cubes: f64 =
            times.iter().zip(&squares).map(|(at, square)| (at - self.middle) * square).sum();
        let tilt = cubes / self.spread;
        // What of the squares neither a height nor a slope explains.
        let own: Vec<f64> = times
            .iter()
            .zip(&squares)
            .map(|(at, square)| square - centre - tilt * (at - self.middle))
            .collect();
        let size: f64 = own.iter().map(|value| value * value).sum();
        if size <= 0.0 {
            return false;
        }
        let bend = own.iter().zip(rests).map(|(own, rest)| own * rest).sum::<f64>() / size;
        let left: Vec<f64> = own.iter().zip(rests).map(|(own, rest)| rest - bend * own).collect();
        let r = persistence(&left);
        let together = (1.0 + r) / (1.0 - r);
        let rest: f64 = left.iter().map(|rest| rest * rest).sum::<f64>() / (self.blocks - 3.0);
        let error = (rest * together / size).sqrt();
        let degrees = (self.blocks / together - 3.0).max(1.0);
        // A bend that changes little is none: over the window it moves the
        // line by less than a tenth of what the slope does.
        let moved = bend.abs() * self.window.powi(2) / 8.0;
        moved > 0.1 * (self.slope * self.window).abs()
            && bend.abs() > Level::THOUSAND.quantile(degrees) * error
    }

    fn reaches(&self, limit: f64, last: f64) -> Result<Forecast, NoForecast> {
        let slope_error = (self.rest * self.together / self.spread).sqrt();
        let is_rising = self.slope > Level::THOUSAND.quantile(self.degrees()) * slope_error
            && self.slope * self.window > 0.0;
        let missing = limit - self.height;
        let reached = self.middle + missing / self.slope;
        let forecast = |reached: f64, earliest: f64, latest: Option<f64>| Forecast {
            slope_per_hour: self.slope * 3_600.0,
            reached_in_ns: nanoseconds(reached),
            earliest_ns: nanoseconds(earliest),
            latest_ns: latest.map(nanoseconds),
            window_ns: nanoseconds(self.window),
            looks: self.looks as u64,
            explained: self.explained.clamp(0.0, 1.0),
        };
        if last >= limit {
            return Ok(forecast(0.0, 0.0, Some(0.0)));
        }
        if self.bends {
            return Err(NoForecast::NotALine);
        }
        if !is_rising {
            return Err(NoForecast::NotRising);
        }
        if reached > REACH * self.window {
            return Err(NoForecast::TooFar);
        }
        let q = Level::TEN.quantile(self.degrees()).powi(2);
        // (height + slope u - limit)^2 = q (variance of the line at u, and of
        // one look), u from the middle.
        let a = self.slope.powi(2) - q * self.rest * self.together / self.spread;
        let b = -2.0 * self.slope * missing;
        let c = missing.powi(2) - q * self.rest * (self.together / self.blocks + 1.0);
        let root = (b.powi(2) - 4.0 * a * c).max(0.0).sqrt();
        let (earliest, latest) = if a > 0.0 {
            ((-b - root) / (2.0 * a), Some((-b + root) / (2.0 * a)))
        } else {
            // The slope may as well be 0.
            let ends = [(-b - root) / (2.0 * a), (-b + root) / (2.0 * a)];
            (ends.into_iter().filter(|end| *end > 0.0).fold(missing / self.slope, f64::min), None)
        };
        let from_now = |u: f64| self.middle + u;
        Ok(forecast(reached, from_now(earliest).min(reached), latest.map(from_now)))
    }
}

/// The cast ends at what u64 can hold, and at 0.
fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

/// Averages of as many neighbours as make [`BLOCKS`] of all.
fn averaged(looks: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let each = looks.len().div_ceil(BLOCKS).max(1);
    looks
        .chunks(each)
        .map(|block| {
            let n = block.len() as f64;
            let (at, value) =
                block.iter().fold((0.0, 0.0), |(at, value), look| (at + look.0, value + look.1));
            (at / n, value / n)
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::{
        prelude::*,
        test_runner::{RngAlgorithm, TestRng},
    };

    use super::*;

    fn looks(values: impl IntoIterator<Item = f64>) -> Vec<(WallTime, f64)> {
        let at = |index: usize| WallTime { unix_ns: index as i64 * 1_000_000_000 };
        values.into_iter().enumerate().map(|(index, value)| (at(index), value)).collect()
    }

    /// Noise of which each value takes over a part of the one before.
    struct Noise {
        rng: TestRng,
        kept: f64,
        last: f64,
    }

    impl Noise {
        fn new(seed: u64, kept: f64) -> Self {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&seed.to_le_bytes());
            Self { rng: TestRng::from_seed(RngAlgorithm::ChaCha, &bytes), kept, last: 0.0 }
        }

        fn next(&mut self) -> f64 {
            let uniform = |rng: &mut TestRng| f64::from(rng.next_u32()) / f64::from(u32::MAX);
            let normal: f64 = (0..12).map(|_| uniform(&mut self.rng)).sum::<f64>() - 6.0;
            self.last = self.kept * self.last + (1.0 - self.kept.powi(2)).sqrt() * normal;
            self.last
        }
    }

    #[test]
    fn a_clean_line_is_told_to_the_second() {
        let looks = looks((0..60).map(f64::from));
        let forecast = forecast(&looks, 159.0).unwrap();
        assert_eq!(forecast.reached_in_ns / 1_000_000_000, 100);
        assert!((forecast.slope_per_hour - 3_600.0).abs() < 1e-6);
        assert!(forecast.earliest_ns.abs_diff(forecast.latest_ns.unwrap()) < 1_000_000_000);
        assert!(forecast.explained > 0.999);
    }

    #[test]
    fn what_does_not_rise_is_not_predicted() {
        let told = |values: Vec<f64>| forecast(&looks(values), 1e6).unwrap_err();
        assert_eq!(told(vec![5.0; 60]), NoForecast::NotRising);
        assert_eq!(told((0..60).map(|at| -f64::from(at)).collect()), NoForecast::NotRising);
        assert_eq!(told(vec![]), NoForecast::TooFew);
        assert_eq!(told((0..19).map(f64::from).collect()), NoForecast::TooFew);
        assert_eq!(told((0..60).map(f64::from).collect()), NoForecast::TooFar);
    }

    /// What was loaded at the start says nothing of now.
    #[test]
    fn a_model_that_was_loaded_is_no_rise() {
        let loaded = (0..600).map(|at: u32| f64::from(at.min(60)) * 1e8);
        assert!(forecast(&looks(loaded), 1e11).is_err());
    }

    #[test]
    fn a_leak_after_a_quiet_time_is_told_by_the_leak() {
        let leak = (0..600).map(|at: u32| f64::from(at.saturating_sub(450)) * 1e6 + 1e8);
        let forecast = forecast(&looks(leak), 5e8).unwrap();
        let truth = (5e8 - 1e8) / 1e6 - 149.0;
        let told = forecast.reached_in_ns as f64 / 1e9;
        assert!((told - truth).abs() < 0.1 * truth, "{told} {truth}");
    }

    #[test]
    fn at_the_limit_nothing_is_left() {
        let forecast = forecast(&looks((0..60).map(f64::from)), 50.0).unwrap();
        assert_eq!((forecast.reached_in_ns, forecast.latest_ns), (0, Some(0)));
    }

    /// Of many lines with noise that hangs together nine of ten reach the limit
    /// in the interval; a few less are allowed, for persistence is estimated.
    #[test]
    fn intervals_hold_what_they_promise() {
        for kept in [0.0, 0.5, 0.8] {
            let (mut told, mut held) = (0, 0);
            for seed in 0..400 {
                let mut noise = Noise::new(seed, kept);
                let truth = |at: f64| 1e9 + 1e6 * at;
                let seen = looks((0..90).map(|at| truth(f64::from(at)) + 4e6 * noise.next()));
                // The line is there 111 s after the last look.
                let limit = truth(200.0);
                let Ok(forecast) = forecast(&seen, limit) else { continue };
                told += 1;
                let left = 111_000_000_000;
                held += u32::from(
                    forecast.earliest_ns <= left
                        && forecast.latest_ns.is_none_or(|latest| latest >= left),
                );
            }
            assert!(told > 300, "{kept}: {told}");
            assert!(held * 100 >= told * 88, "{kept}: {held} of {told}");
        }
    }

    /// And hardly any noise without a rise is taken for one.
    #[test]
    fn noise_is_no_rise() {
        for kept in [0.0, 0.5, 0.8] {
            let told = (0..1_000).filter(|seed| {
                let mut noise = Noise::new(*seed, kept);
                forecast(&looks((0..90).map(|_| 1e9 + 4e6 * noise.next())), 1.1e9).is_ok()
            });
            let told = told.count();
            assert!(told <= 10, "{kept}: {told}");
        }
    }

    proptest! {
        /// Whatever comes in, and however times stand.
        #[test]
        fn nothing_is_promised_that_cannot_be(
            values in proptest::collection::vec((any::<i64>(), any::<f64>()), 0..200),
            limit in any::<f64>(),
        ) {
            let looks: Vec<_> =
                values.into_iter().map(|(at, value)| (WallTime { unix_ns: at }, value)).collect();
            if let Ok(told) = forecast(&looks, limit) {
                prop_assert!(told.earliest_ns <= told.reached_in_ns);
                prop_assert!(told.latest_ns.is_none_or(|latest| latest >= told.earliest_ns));
                prop_assert!((0.0..=1.0).contains(&told.explained));
            }
        }
    }
}
