//! When something reaches a limit: a fit of what was seen last, and how far off
//! that may be by what the fit leaves over.
//!
//! What is left over tells what of it stays and what is noise ([`Drift`]). The
//! interval holds all times at which the limit is inside of what level, slope,
//! the way until then and the noise leave open (after Fieller), and a peak of
//! the noise is enough to meet it ([`first_peak`]).

use super::{
    blocks::{mean, persistence},
    drift::Drift,
    first_peak::first_peak,
    student::Level,
};
use crate::model::{Forecast, NoForecast, WallTime};

/// Blocks that the looks are averaged to: neighbours in one block are as good
/// as one look.
const BLOCKS: usize = 60;
/// Fewer looks say nothing.
const FEWEST: usize = 30;
/// Nor do fewer blocks after a change.
const FEWEST_BLOCKS: usize = 8;
/// A limit that is more than so many times as far away as the time that was
/// looked at: slopes do not last.
const REACH: f64 = 20.0;
/// Parts that are looked at alone where all of it is no line: what was there
/// before a change says nothing of what comes.
const LAST_PARTS: [usize; 5] = [1, 2, 4, 8, 16];

/// When `looks` will reach `limit`, from `now` on. What meets the limit may be
/// up to `slack` more or less than what is looked at.
///
/// # Errors
/// Why that cannot be said.
pub fn forecast(
    looks: &[(WallTime, f64)],
    limit: f64,
    slack: f64,
    now: WallTime,
) -> Result<Forecast, NoForecast> {
    let seconds = |at: WallTime| at.unix_ns.saturating_sub(now.unix_ns) as f64 / 1e9;
    let known = looks.iter().filter(|(at, value)| value.is_finite() && *at <= now);
    let mut known: Vec<(f64, f64)> = known.map(|(at, value)| (seconds(*at), *value)).collect();
    // The wall clock may have been set back.
    known.sort_by(|one, other| one.0.total_cmp(&other.0));
    known.dedup_by(|later, kept| later.0 <= kept.0);
    let mut why = NoForecast::TooFew;
    for part in LAST_PARTS {
        let from = known.len() - known.len() / part;
        let Some(part) = known.get(from..).filter(|part| part.len() >= FEWEST) else { break };
        match Course::of(part)
            .map_or(Err(NoForecast::NotALine), |course| course.reaches(limit, slack))
        {
            Err(reason @ (NoForecast::NotALine | NoForecast::NotRising)) => why = reason,
            told => return told,
        }
    }
    Err(why)
}

/// How it went since it last changed. Time is in seconds, 0 is now.
struct Course {
    line: Line,
    drift: Drift,
    /// The middle of the last block, and the last look.
    last_block: f64,
    last: (f64, f64),
    looks: usize,
    /// From the first of those looks to the last.
    window: f64,
}

impl Course {
    fn of(looks: &[(f64, f64)]) -> Option<Self> {
        let each = looks.len().div_ceil(BLOCKS).max(1);
        // The oldest that make no whole block are left out.
        let looks = looks.get(looks.len() % each..)?;
        let blocks = averaged(looks, each);
        let from = last_change(&blocks, each);
        let (looks, blocks) = (looks.get(from * each..)?, blocks.get(from..)?);
        let (first, last) = (looks.first()?, looks.last()?);
        Some(Self {
            line: Line::through(blocks)?,
            drift: Drift::through(blocks, each)?,
            last_block: blocks.last()?.0,
            last: *last,
            looks: looks.len(),
            window: last.0 - first.0,
        })
    }

    fn reaches(&self, limit: f64, slack: f64) -> Result<Forecast, NoForecast> {
        let Drift { slope, level, slope_variance, .. } = self.drift;
        let forecast = |reached: f64, earliest: f64, latest: Option<f64>| Forecast {
            slope_per_hour: slope * 3_600.0,
            reached_in_ns: nanoseconds(reached),
            earliest_ns: nanoseconds(earliest.min(reached)),
            latest_ns: latest.map(nanoseconds),
            window_ns: nanoseconds(self.window),
            looks: self.looks as u64,
            explained: self.line.explained.clamp(0.0, 1.0),
        };
        if self.last.1 >= limit {
            return Ok(forecast(0.0, 0.0, Some(0.0)));
        }
        if self.line.bends {
            return Err(NoForecast::NotALine);
        }
        let is_rising =
            slope > Level::THOUSAND.quantile(self.drift.degrees) * slope_variance.sqrt();
        if !is_rising {
            return Err(NoForecast::NotRising);
        }
        let between = self.window / (self.looks as f64 - 1.0).max(1.0);
        let each = (self.looks as f64 / self.line.blocks).max(1.0);
        let rise = slope * between;
        let peak = first_peak((self.drift.noise * each).sqrt(), rise);
        let missing = limit - peak.below - level;
        let reached = self.last_block + missing / slope;
        if reached > REACH * self.window {
            return Err(NoForecast::TooFar);
        }
        // What goes on between two looks is not seen: it is as far off as any
        // moment between them may be. Slack may be anything, up to all of it.
        let unseen = rise.powi(2) / 12.0 + slack.powi(2) / 3.0;
        let q = Level::TEN.quantile(self.drift.degrees).powi(2);
        // (level + slope u - limit)^2 = q (what is left open at u), u from the
        // last block.
        let a = slope.powi(2) - q * slope_variance;
        let b = -2.0 * slope * missing - q * (2.0 * self.drift.covariance + self.drift.wander);
        let c = missing.powi(2) - q * (self.drift.level_variance + peak.deviation.powi(2) + unseen);
        // A slope that is surely more than nothing has both ends.
        let root = (b.powi(2) - 4.0 * a * c).max(0.0).sqrt();
        let [earliest, latest] = [-root, root].map(|root| self.last_block + (root - b) / (2.0 * a));
        Ok(forecast(reached, earliest, Some(latest).filter(|end| *end <= REACH * self.window)))
    }
}

/// The first block since the slope last changed by more than chance: where it
/// changed most.
fn last_change(blocks: &[(f64, f64)], each: usize) -> usize {
    let fewest = FEWEST.div_ceil(each).max(FEWEST_BLOCKS);
    let Some(first) = blocks.first() else { return 0 };
    let changes = blocks.iter().enumerate().skip(2).filter_map(|(index, at)| {
        let rest = blocks.get(index..).filter(|rest| rest.len() >= fewest)?;
        let drift = Drift::through(rest, each)?;
        let before = at.0 - first.0;
        let variance =
            drift.slope_variance + drift.wander / before + 2.0 * drift.noise / before.powi(2);
        let change = ((at.1 - first.1) / before - drift.slope).abs() / variance.sqrt();
        (change > Level::HUNDRED_THOUSAND.quantile(drift.degrees)).then_some((index, change))
    });
    changes.max_by(|one, other| one.1.total_cmp(&other.1)).map_or(0, |(index, _)| index)
}

/// A line through blocks, by least squares.
struct Line {
    slope: f64,
    /// The middle of the times.
    middle: f64,
    /// The sum of the squares of the times, from their middle.
    spread: f64,
    blocks: f64,
    /// From the first to the last.
    length: f64,
    explained: f64,
    /// A curve fits better by more than chance.
    bends: bool,
}

impl Line {
    fn through(blocks: &[(f64, f64)]) -> Option<Self> {
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
        let mut line = Self {
            slope,
            middle,
            spread,
            blocks: n,
            length: blocks.last()?.0 - blocks.first()?.0,
            explained: if total > 0.0 { 1.0 - left / total } else { 0.0 },
            bends: false,
        };
        line.bends = line.is_a_curve(&times, &rests);
        Some(line)
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
        let moved = bend.abs() * self.length.powi(2) / 8.0;
        moved > 0.1 * (self.slope * self.length).abs()
            && bend.abs() > Level::THOUSAND.quantile(degrees) * error
    }
}

/// The cast ends at what u64 can hold, and at 0.
fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

/// Averages of so many neighbours.
fn averaged(looks: &[(f64, f64)], each: usize) -> Vec<(f64, f64)> {
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

    /// Asked at the last look.
    fn forecast(looks: &[(WallTime, f64)], limit: f64) -> Result<Forecast, NoForecast> {
        let now = looks.last().map_or(WallTime { unix_ns: 0 }, |(at, _)| *at);
        super::forecast(looks, limit, 0.0, now)
    }

    #[test]
    fn a_clean_line_is_told_to_the_second() {
        let looks = looks((0..60).map(f64::from));
        let forecast = forecast(&looks, 159.0).unwrap();
        assert_eq!(forecast.reached_in_ns / 1_000_000_000, 100);
        assert!((forecast.slope_per_hour - 3_600.0).abs() < 1e-6);
        // No finer than the looks, which are a second apart.
        assert!(forecast.earliest_ns < 100_000_000_000);
        assert!((100_000_000_001..101_000_000_000).contains(&forecast.latest_ns.unwrap()));
        assert!(forecast.earliest_ns > 99_000_000_000);
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

    /// Time goes on between the last look and the question.
    #[test]
    fn what_is_left_is_from_now_on() {
        let looks = looks((0..60).map(f64::from));
        let now = WallTime { unix_ns: 64_500_000_000 };
        let forecast = super::forecast(&looks, 159.0, 0.0, now).unwrap();
        assert!(forecast.reached_in_ns.abs_diff(94_500_000_000) < 1_000_000, "{forecast:?}");
        assert!((98..=100).contains(&(forecast.latest_ns.unwrap() / 1_000_000_000 + 4)));
    }

    /// The last quarter of an hour is asked for, and it has leaked for a minute.
    #[test]
    fn a_young_leak_after_a_long_quiet_time() {
        let leak = (0..900).map(|at: u32| f64::from(at.saturating_sub(840)) * 1e6 + 1e8);
        let forecast = forecast(&looks(leak), 2e8).unwrap();
        let truth = 100.0 - 59.0;
        assert!((forecast.reached_in_ns as f64 / 1e9 - truth).abs() < 1.0, "{forecast:?}");
    }

    #[test]
    fn slack_is_in_the_interval() {
        let looks = looks((0..60).map(f64::from));
        let now = looks.last().unwrap().0;
        let of = |slack| super::forecast(&looks, 159.0, slack, now).unwrap();
        let width = |told: Forecast| (told.latest_ns.unwrap() - told.earliest_ns) as f64 / 1e9;
        assert_eq!(of(0.0).reached_in_ns, of(5.0).reached_in_ns);
        // 5 up or down, evenly: 1.7 deviations of 5/sqrt(3) are 4.9.
        assert!(width(of(0.0)) < 1.1 && (9.0..10.5).contains(&width(of(5.0))));
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

    /// A leak by pieces, of which most are small, and memory that comes and goes
    /// beside: what is there at each tenth of a second.
    fn leak(seed: u64, is_uneven: bool, passing: f64) -> Vec<f64> {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut chance = || (f64::from(rng.next_u32()) + 1.0) / (f64::from(u32::MAX) + 1.0);
        let (mut leaked, mut beside) = (33e6, 0.0);
        (0..3_000)
            .map(|tenth| {
                // Five quiet seconds first.
                if tenth >= 50 {
                    leaked += if is_uneven { -1e5 * chance().ln() } else { 1e5 };
                    if tenth % 10 == 0 {
                        beside = passing * chance();
                    }
                }
                leaked + beside
            })
            .collect()
    }

    /// Leaks meet their limit when they first have so much, nine of ten in the
    /// interval: not when a line would, and not only where all is even.
    #[test]
    fn leaks_meet_their_limit_in_the_interval() {
        let (mut all_told, mut all_held) = (0, 0);
        for (is_uneven, passing) in
            [(false, 0.0), (false, 2e6), (false, 4e6), (true, 0.0), (true, 2e6), (true, 4e6)]
        {
            for leaked_for in [45, 60, 90] {
                let (mut told, mut held, mut widths) = (0, 0, Vec::new());
                for seed in 0..50 {
                    let leak = leak(seed, is_uneven, passing);
                    let asked = (5 + leaked_for) * 10;
                    let offset = seed as usize % 10;
                    let seen = leak.iter().copied().take(asked).skip(offset).step_by(10);
                    let seen = looks(seen);
                    // About a minute later.
                    let limit = 33e6 + 1e6 * (leaked_for + 60) as f64;
                    let met = leak.iter().position(|bytes| *bytes >= limit).unwrap();
                    let last = offset + (seen.len() - 1) * 10;
                    let truth = (met - last) as u64 * 100_000_000;
                    let Ok(forecast) = forecast(&seen, limit) else { continue };
                    told += 1;
                    let latest = forecast.latest_ns.unwrap_or(u64::MAX);
                    held += u32::from((forecast.earliest_ns..=latest).contains(&truth));
                    widths.push((latest - forecast.earliest_ns) / 1_000_000_000);
                }
                widths.sort_unstable();
                let width = widths[widths.len() / 2];
                let what = format!("uneven {is_uneven}, passing {passing}, {leaked_for} s");
                println!("{what}: {held} of {told}, {width} s wide");
                assert!(told >= 48, "{what}: {told}");
                // After 45 s it is not known well how much of it is chance.
                assert!(held * 100 >= told * 76, "{what}: {held} of {told}");
                assert!(width <= 30, "{what}: {width} s wide");
                (all_told, all_held) = (all_told + told, all_held + held);
            }
        }
        assert!(all_held * 100 >= all_told * 90, "{all_held} of {all_told}");
    }

    /// And hardly any noise without a rise is taken for one.
    #[test]
    fn noise_is_no_rise() {
        for kept in [0.0, 0.5, 0.8] {
            let told = (0..300).filter(|seed| {
                let mut noise = Noise::new(*seed, kept);
                forecast(&looks((0..90).map(|_| 1e9 + 4e6 * noise.next())), 1.1e9).is_ok()
            });
            let told = told.count();
            assert!(told <= 3, "{kept}: {told}");
        }
    }

    /// Nor where there is much to choose from.
    #[test]
    fn noise_of_a_quarter_of_an_hour_is_no_rise() {
        for kept in [0.0, 0.8] {
            let told = (0..50).filter(|seed| {
                let mut noise = Noise::new(*seed, kept);
                forecast(&looks((0..900).map(|_| 1e9 + 4e6 * noise.next())), 1.1e9).is_ok()
            });
            let told = told.count();
            assert!(told <= 2, "{kept}: {told}");
        }
    }

    proptest! {
        /// Whatever comes in, and however times stand.
        #[test]
        fn nothing_is_promised_that_cannot_be(
            values in proptest::collection::vec((any::<i64>(), any::<f64>()), 0..200),
            limit in any::<f64>(),
            now in any::<i64>(),
        ) {
            let looks: Vec<_> =
                values.into_iter().map(|(at, value)| (WallTime { unix_ns: at }, value)).collect();
            if let Ok(told) = super::forecast(&looks, limit, 0.0, WallTime { unix_ns: now }) {
                prop_assert!(told.earliest_ns <= told.reached_in_ns);
                prop_assert!(told.latest_ns.is_none_or(|latest| latest >= told.earliest_ns));
                prop_assert!((0.0..=1.0).contains(&told.explained));
            }
        }
    }
}
