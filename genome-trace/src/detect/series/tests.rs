//! Of figures that are known beforehand: noise of a seed, and what is planted
//! in it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::model::{Change, SampleSpan, Stretch, TimeRange, Trend, WallTime};

const MINUTE: i64 = 60 * 1_000_000_000;

fn range(minutes: i64) -> TimeRange {
    TimeRange { from: WallTime { unix_ns: 0 }, until: WallTime { unix_ns: minutes * MINUTE } }
}

fn one(minute: i64, value: f64) -> Stretch {
    Stretch {
        wall_time: WallTime { unix_ns: minute * MINUTE },
        count: 60,
        min: value - 1.0,
        average: value,
        max: value + 1.0,
        last: value,
    }
}

fn minutes(values: impl IntoIterator<Item = f64>) -> Vec<Stretch> {
    values.into_iter().zip(0..).map(|(value, minute)| one(minute, value)).collect()
}

/// SplitMix64, summed up to something like a normal distribution.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// Each value takes over a part of the one before.
    fn hanging_together(&mut self, part: f64, count: usize) -> Vec<f64> {
        let mut value = self.normal() / (1.0 - part * part).sqrt();
        (0..count)
            .map(|_| {
                value = part * value + self.normal();
                value
            })
            .collect()
    }
}

fn trend_of(values: Vec<f64>) -> Trend {
    let range = range(values.len() as i64);
    trend(&minutes(values), range, SampleSpan::Minute)
}

fn change_of(now: Vec<f64>, then: Vec<f64>) -> Change {
    let (now_range, then_range) = (range(now.len() as i64), range(then.len() as i64));
    change((&minutes(now), now_range), (&minutes(then), then_range), SampleSpan::Minute)
}

/// Around a level at which the relevant difference hides nothing.
fn false_alarms(part: f64, alarm: impl Fn(&mut Noise) -> bool) -> usize {
    let mut noise = Noise((part * 1000.0) as u64);
    (0..2000).filter(|_| alarm(&mut noise)).count()
}

#[test]
fn noise_has_no_trend() {
    for (part, allowed) in [(0.0, 6), (0.5, 10), (0.9, 20)] {
        let alarms = false_alarms(part, |noise| {
            trend_of(noise.hanging_together(part, 480)) != Trend::Stable
        });
        assert!(alarms <= allowed, "{alarms} of 2000 at {part}");
    }
}

#[test]
fn noise_is_no_change() {
    for (part, allowed) in [(0.0, 6), (0.5, 10), (0.9, 20)] {
        let alarms = false_alarms(part, |noise| {
            let (a, b) = (noise.hanging_together(part, 480), noise.hanging_together(part, 480));
            change_of(a, b) != Change::Unchanged
        });
        assert!(alarms <= allowed, "{alarms} of 2000 at {part}");
    }
}

#[test]
fn what_is_planted_is_found() {
    let mut noise = Noise(7);
    let mut found = 0;
    for _ in 0..200 {
        // Three of the noise's deviations in eight hours.
        let values = noise.hanging_together(0.5, 480);
        let up =
            values.iter().enumerate().map(|(at, value)| 100.0 + value + 6.0 * at as f64 / 60.0);
        if let Trend::Rising(slope) = trend_of(up.collect())
            && (slope - 6.0).abs() < 1.0
        {
            found += 1;
        }
    }
    assert!(found >= 198, "{found} of 200");
    let falling: Vec<f64> = (0..60).map(|at| 1000.0 - f64::from(at)).collect();
    let Trend::Falling(slope) = trend_of(falling) else { panic!("not falling") };
    assert!((slope + 60.0).abs() < 1e-6, "{slope}");
}

#[test]
fn a_wild_value_is_no_trend_and_few_values_are_unknown() {
    let mut values = vec![5.0; 60];
    values[59] = 1e9;
    assert_eq!(trend_of(values), Trend::Stable);
    assert_eq!(trend_of(vec![0.0; 60]), Trend::Stable);
    assert_eq!(trend_of((0..9).map(f64::from).collect()), Trend::Unknown);
    assert_eq!(trend_of(Vec::new()), Trend::Unknown);
    // Sure, but a hundredth.
    assert_eq!(trend_of((0..60).map(|at| 1e4 + f64::from(at)).collect()), Trend::Stable);
}

#[test]
fn less_is_better_and_the_spread_counts() {
    let mut noise = Noise(3);
    let mut around = |level: f64, spread: f64| -> Vec<f64> {
        (0..60).map(|_| level + spread * noise.normal()).collect()
    };
    assert_eq!(change_of(around(80.0, 5.0), around(100.0, 5.0)), Change::Improved);
    assert_eq!(change_of(around(120.0, 5.0), around(100.0, 5.0)), Change::Worse);
    assert_eq!(change_of(around(120.0, 150.0), around(100.0, 150.0)), Change::Unchanged);
    assert_eq!(change_of(around(103.0, 0.1), around(100.0, 0.1)), Change::Unchanged);
    assert_eq!(change_of(vec![1.0; 60], vec![0.0; 60]), Change::Worse);
    assert_eq!(change_of(vec![0.0; 60], vec![0.0; 60]), Change::Unchanged);
    assert_eq!(change_of(vec![1.0; 4], vec![0.0; 60]), Change::Unknown);
}

#[test]
fn steps_are_whole_and_gaps_stay() {
    assert_eq!(step_ns(range(60), SampleSpan::Minute, 120), 60_000_000_000);
    assert_eq!(step_ns(range(60), SampleSpan::Minute, 40), 120_000_000_000);
    assert_eq!(step_ns(range(1), SampleSpan::Hour, 0), 3_600_000_000_000);
    let kept = [one(-1, 9.0), one(0, 1.0), one(1, 3.0), one(6, 7.0), one(8, 9.0)];
    let points = resample(&kept, range(8), 2 * MINUTE as u64);
    assert_eq!(points.len(), 4);
    let first = points[0].unwrap();
    assert_eq!((first.count, first.min, first.average, first.max), (120, 0.0, 2.0, 4.0));
    assert_eq!((points[1], points[2]), (None, None));
    assert_eq!(points[3].unwrap().average, 7.0);
}

#[test]
fn the_nearest_rank() {
    let moment = |second: i64, value: f64| Stretch {
        wall_time: WallTime { unix_ns: second },
        count: 1,
        min: value,
        average: value,
        max: value,
        last: value,
    };
    let kept: Vec<Stretch> = (1..=100).map(|value| moment(value, value as f64)).collect();
    let summary = summarize(&kept).unwrap();
    assert_eq!((summary.min, summary.average, summary.p95, summary.max), (1.0, 50.5, 95.0, 100.0));
    assert_eq!((summary.count, summary.last), (100, 100.0));
    assert_eq!(summarize(&[]), None);
    // The weight of a minute is its count.
    let heavy = Stretch { count: 19, ..moment(0, 1.0) };
    assert_eq!(summarize(&[heavy, moment(1, 2.0)]).unwrap().p95, 1.0);
    assert_eq!(percent(Some(&summary), Some(&summary)), Some(0.0));
    let none = summarize(&[moment(0, 0.0)]);
    assert_eq!(percent(Some(&summary), none.as_ref()), None);
}

fn any_stretches() -> impl Strategy<Value = Vec<Stretch>> {
    let one = (0_i64..500, 1_u64..100, -1e9_f64..1e9, 0.0_f64..1e6, 0.0_f64..1.0);
    prop::collection::vec(one, 1..200).prop_map(|all| {
        let stretches = all.into_iter().map(|(minute, count, min, more, part)| Stretch {
            wall_time: WallTime { unix_ns: minute * MINUTE },
            count,
            min,
            average: min + more * part,
            max: min + more,
            last: min,
        });
        stretches.collect()
    })
}

proptest! {
    #[test]
    fn figures_are_in_order(stretches in any_stretches()) {
        let of = summarize(&stretches).unwrap();
        prop_assert!(of.min <= of.average && of.average <= of.max);
        prop_assert!(of.min <= of.p95 && of.p95 <= of.max);
        prop_assert_eq!(of.count, stretches.iter().map(|of| of.count).sum::<u64>());
    }

    #[test]
    fn steps_keep_counts_and_extremes(stretches in any_stretches(), wanted in 1_usize..300) {
        let step_ns = step_ns(range(500), SampleSpan::Minute, wanted);
        let points = resample(&stretches, range(500), step_ns);
        prop_assert!(points.len() <= wanted);
        let known: Vec<_> = points.iter().flatten().collect();
        let of = summarize(&stretches).unwrap();
        prop_assert_eq!(known.iter().map(|point| point.count).sum::<u64>(), of.count);
        prop_assert_eq!(known.iter().map(|point| point.min).fold(f64::INFINITY, f64::min), of.min);
        prop_assert_eq!(
            known.iter().map(|point| point.max).fold(f64::NEG_INFINITY, f64::max),
            of.max
        );
    }

    #[test]
    fn nothing_panics(stretches in any_stretches(), from: i64, until: i64) {
        let range = TimeRange { from: WallTime { unix_ns: from }, until: WallTime { unix_ns: until } };
        let _ = trend(&stretches, range, SampleSpan::Hour);
        let _ = change((&stretches, range), (&[], range), SampleSpan::Hour);
    }
}
