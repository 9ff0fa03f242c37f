//! One habit as it is learned: a handful of weighted values that stand for all
//! samples so far, the older ones with less and less weight.
//!
//! A sample goes to the value next to it, where that is within [`NEAR`], and
//! else becomes a value of its own; of too many, the two that are least apart
//! become one. So the memory is bounded, a constant is learned exactly, and
//! every quantile is right to within a hundredth where samples are not spread
//! over more than a few orders of magnitude.

use serde::{Deserialize, Serialize};

use super::{Habit, HabitPolicy};
use crate::model::WallTime;

/// Samples within this part of a value are taken for it.
const NEAR: f64 = 0.01;
/// Values that stand for a habit: 3 KiB.
const VALUES_MAX: usize = 192;
/// A value that so little of a sample is left of is forgotten.
const FAINT: f64 = 1.0 / 128.0;
/// The middle and the spread are found anew after so many samples.
const SETTLED: u64 = 16;
/// The median distance of a normal distribution's samples from its middle, in
/// standard deviations, turned round.
pub(super) const PER_MEDIAN_DISTANCE: f64 = 1.482_602_218_505_602;
/// What is exceeded by one sample of fifty is the usual peak.
const PEAK: f64 = 0.98;

/// A habit in the making.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Learned {
    /// When the first sample came, in nanoseconds since 1970.
    since_ns: i64,
    /// Samples that were learned.
    samples: u64,
    /// Strange samples, less those that were forgiven since.
    strange: f64,
    /// Values and their weights, by value.
    values: Vec<(f64, f64)>,
    /// As it was found last.
    habit: Option<Habit>,
    #[serde(skip, default = "unknown")]
    pub(super) updated: WallTime,
    /// It differs from what was last handed out to be kept.
    #[serde(skip)]
    pub(super) is_changed: bool,
}

/// It stands in a column of its own.
const fn unknown() -> WallTime {
    WallTime { unix_ns: 0 }
}

impl Learned {
    pub(super) const fn new(now: WallTime) -> Self {
        Self {
            since_ns: now.unix_ns,
            samples: 0,
            strange: 0.0,
            values: Vec::new(),
            habit: None,
            updated: now,
            is_changed: true,
        }
    }

    /// What was kept of one; `None` where that makes no sense.
    pub(super) fn restored(record: &str, updated: WallTime, policy: &HabitPolicy) -> Option<Self> {
        let mut learned: Self = serde_json::from_str(record).ok()?;
        let is_number = |number: f64| number.is_finite() && number >= 0.0;
        let sound = learned.values.len() <= VALUES_MAX
            && is_number(learned.strange)
            && learned.values.iter().all(|(value, weight)| is_number(*value) && *weight > 0.0)
            && learned.values.iter().all(|(_, weight)| weight.is_finite())
            && learned.habit.is_none_or(|habit| {
                [habit.centre, habit.spread, habit.peak].into_iter().all(is_number)
            })
            && learned.values.is_sorted_by(|(one, _), (other, _)| one <= other);
        if !sound {
            return None;
        }
        learned.updated = updated;
        // It may be young by another policy.
        if learned.habit.is_none() || learned.samples < policy.samples_to_learn {
            learned.settle(policy, &mut Vec::new());
        }
        Some(learned)
    }

    pub(super) const fn samples(&self) -> u64 {
        self.samples
    }

    pub(super) const fn since(&self) -> WallTime {
        WallTime { unix_ns: self.since_ns }
    }

    /// What it has come to; `None` while there are too few samples.
    pub(super) const fn habit(&self) -> Option<Habit> {
        self.habit
    }

    /// The same, however few there are.
    pub(super) fn so_far(&self) -> Option<Habit> {
        self.habit.or_else(|| self.find(&mut Vec::new()))
    }

    /// Takes in a sample, unless it is strange and has not been so for long.
    pub(super) fn learn(
        &mut self,
        value: f64,
        now: WallTime,
        policy: &HabitPolicy,
        scratch: &mut Vec<(f64, f64)>,
    ) {
        if !value.is_finite() || value < 0.0 {
            return;
        }
        self.updated = now;
        self.is_changed = true;
        if self.habit.is_some_and(|habit| habit.is_strange(value, policy)) {
            // No more than that, so that forgiving does not take for ever.
            self.strange = (self.strange + 1.0).min(2.0 * policy.patience_samples as f64);
            if self.strange <= policy.patience_samples as f64 {
                return;
            }
        } else {
            self.strange = (self.strange - policy.forgiven_per_sample.max(0.0)).max(0.0);
        }
        self.fade(policy);
        self.add(value);
        self.samples = self.samples.saturating_add(1);
        if self.habit.is_none() || self.samples.is_multiple_of(SETTLED) {
            self.settle(policy, scratch);
        }
    }

    fn fade(&mut self, policy: &HabitPolicy) {
        let kept = (-1.0 / policy.half_life_samples.max(1) as f64).exp2();
        for (_, weight) in &mut self.values {
            *weight *= kept;
        }
        self.values.retain(|(_, weight)| *weight >= FAINT);
    }

    fn add(&mut self, value: f64) {
        let at = self.values.partition_point(|(other, _)| *other < value);
        let distance =
            |index: usize| self.values.get(index).map(|(other, _)| (index, (other - value).abs()));
        let below = at.checked_sub(1).and_then(distance);
        let nearest = [below, distance(at)]
            .into_iter()
            .flatten()
            .filter(|(_, distance)| *distance <= NEAR * value)
            .min_by(|(_, one), (_, other)| one.total_cmp(other));
        if let Some((other, weight)) = nearest.and_then(|(index, _)| self.values.get_mut(index)) {
            *other += (value - *other) / (*weight + 1.0);
            *weight += 1.0;
            return;
        }
        if self.values.len() >= VALUES_MAX {
            self.join_two();
        }
        let at = self.values.partition_point(|(other, _)| *other < value);
        self.values.insert(at, (value, 1.0));
    }

    /// Makes one of the two neighbours that lose the least by it.
    fn join_two(&mut self) {
        let mut least = (f64::INFINITY, 0);
        for (index, pair) in self.values.windows(2).enumerate() {
            let [(low, weight), (high, other_weight)] = pair else { continue };
            let apart = (high - low) / high.max(f64::MIN_POSITIVE);
            let loss = weight * other_weight / (weight + other_weight) * apart * apart;
            if loss < least.0 {
                least = (loss, index);
            }
        }
        if least.1 + 1 < self.values.len() {
            let (high, other_weight) = self.values.remove(least.1 + 1);
            if let Some((low, weight)) = self.values.get_mut(least.1) {
                *low += (high - *low) * other_weight / (*weight + other_weight);
                *weight += other_weight;
            }
        }
    }

    pub(super) fn settle(&mut self, policy: &HabitPolicy, scratch: &mut Vec<(f64, f64)>) {
        let is_old_enough = self.samples >= policy.samples_to_learn;
        self.habit = if is_old_enough { self.find(scratch) } else { None };
    }

    fn find(&self, scratch: &mut Vec<(f64, f64)>) -> Option<Habit> {
        let centre = quantile(&self.values, 0.5)?;
        let peak = quantile(&self.values, PEAK)?;
        scratch.clear();
        scratch.extend(self.values.iter().map(|(value, weight)| ((value - centre).abs(), *weight)));
        scratch.sort_unstable_by(|(one, _), (other, _)| one.total_cmp(other));
        let spread = quantile(scratch, 0.5)? * PER_MEDIAN_DISTANCE;
        Some(Habit { samples: self.samples, centre, spread, peak })
    }
}

/// The first value that this part of the weight is not above.
fn quantile(values: &[(f64, f64)], part: f64) -> Option<f64> {
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mut passed = 0.0;
    for (value, weight) in values {
        passed += weight;
        if passed >= total * part {
            return Some(*value);
        }
    }
    values.last().map(|(value, _)| *value)
}
