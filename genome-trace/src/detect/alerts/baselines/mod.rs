//! What each persona is used to: the middle and the spread of each quantity,
//! learned sample by sample, slowly forgotten, and unharmed by what is out of
//! the ordinary.
//!
//! A sample is strange that is further from the middle than [`HabitPolicy`]
//! allows, and above the usual peak. It is not learned. Only when strange
//! samples have been many ([`HabitPolicy::patience_samples`], and each ordinary
//! one in between takes off a little) they are taken for the new habit: so an
//! anomaly of less than a quarter of an hour leaves no trace, a new level that
//! lasts is a usual peak soon after, and is the middle after one half-life at
//! most.

mod learned;
mod rows;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::model::{Basis, Metric, Persona, PersonaSource, WallTime};
use learned::Learned;

/// Personas that are remembered; then the one goes that was learned from
/// longest ago. With every quantity that is 20 MiB at the very most.
pub(super) const PERSONAS_MAX: usize = 512;
/// Others that a young persona is judged by.
const NEIGHBOURS_ASKED: usize = 64;
/// Fewer say nothing.
const NEIGHBOURS_MIN: usize = 3;

/// What is learned of a persona.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantity {
    /// A metric, look by look.
    Metric(Metric),
    /// Files created in a window, window by window.
    FilesPerWindow,
}

impl Quantity {
    /// The name in the store and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metric(metric) => metric.name(),
            Self::FilesPerWindow => "files_per_window",
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no quantity's.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownQuantity;

impl FromStr for Quantity {
    type Err = UnknownQuantity;

    fn from_str(name: &str) -> Result<Self, UnknownQuantity> {
        if name == Self::FilesPerWindow.name() {
            return Ok(Self::FilesPerWindow);
        }
        name.parse().map(Self::Metric).map_err(|_| UnknownQuantity)
    }
}

/// How it is learned.
#[derive(Clone, Debug, PartialEq)]
pub struct HabitPolicy {
    /// Samples before a habit says anything.
    pub samples_to_learn: u64,
    /// After so many samples a sample counts half: half a day of looks.
    pub half_life_samples: u64,
    /// A sample is strange that is so many spreads above the middle...
    pub strange_spreads: f64,
    /// ...and so many times the usual peak.
    pub strange_factor: f64,
    /// So many strange samples are put up with before they are learned.
    pub patience_samples: u64,
    /// Of those, so many are forgiven for each ordinary sample.
    pub forgiven_per_sample: f64,
}

impl Default for HabitPolicy {
    fn default() -> Self {
        Self {
            samples_to_learn: 200,
            half_life_samples: 43_200,
            strange_spreads: 5.0,
            strange_factor: 1.25,
            patience_samples: 900,
            forgiven_per_sample: 0.01,
        }
    }
}

/// What somebody is used to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Habit {
    /// Learned from so many samples.
    pub samples: u64,
    /// Their middle.
    pub centre: f64,
    /// How far they are spread, scaled like a standard deviation.
    pub spread: f64,
    /// What one of fifty is above.
    pub peak: f64,
}

impl Habit {
    /// Whether a sample is out of the ordinary.
    fn is_strange(&self, value: f64, policy: &HabitPolicy) -> bool {
        value > self.centre + policy.strange_spreads * self.spread
            && value > self.peak * policy.strange_factor
    }
}

/// What somebody's figure is held against.
#[derive(Clone, Debug, PartialEq)]
pub struct Normal {
    /// Whose habit that is.
    pub basis: Basis,
    /// The middle.
    pub centre: f64,
    /// How far that is spread.
    pub spread: f64,
    /// What is usual at most.
    pub peak: f64,
}

/// A habit, as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownHabit<'a> {
    /// Whose.
    pub persona: &'a Persona,
    /// Of what.
    pub quantity: Quantity,
    /// What it has come to so far; `None` where no sample was kept.
    pub habit: Option<Habit>,
    /// Samples that were learned.
    pub samples: u64,
    /// When the first came.
    pub since: WallTime,
    /// When the last came.
    pub updated: WallTime,
    /// There were enough for it to be gone by.
    pub speaks: bool,
}

/// What is known of one persona.
#[derive(Clone, Debug, Default)]
struct Known {
    /// What it was recognised by, as soon as that was told.
    source: Option<PersonaSource>,
    /// That in words, which outlast a restart: neighbours have the same.
    rule: Option<String>,
    learned: Vec<(Quantity, Learned)>,
}

impl Known {
    fn habit(&self, quantity: Quantity) -> Option<Habit> {
        self.learned.iter().find(|(of, _)| *of == quantity)?.1.habit()
    }
}

/// Everybody's habits.
#[derive(Clone, Debug, Default)]
pub struct Baselines {
    policy: HabitPolicy,
    of: BTreeMap<Persona, Known>,
    scratch: Vec<(f64, f64)>,
    /// When habits were ordered to be forgotten, so that each order counts
    /// once.
    forgotten: BTreeMap<String, WallTime>,
}

impl Baselines {
    /// Nothing is known of anybody.
    #[must_use]
    pub fn new(policy: HabitPolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// What was learned, learned otherwise from now on.
    #[must_use]
    pub(super) fn with_policy(mut self, policy: &HabitPolicy) -> Self {
        self.set_policy(policy);
        self
    }

    pub(super) fn set_policy(&mut self, policy: &HabitPolicy) {
        if self.policy != *policy {
            self.policy = policy.clone();
            for (_, learned) in self.of.values_mut().flat_map(|known| &mut known.learned) {
                learned.settle(policy, &mut self.scratch);
            }
        }
    }

    /// Takes in a sample.
    pub fn learn(&mut self, persona: &Persona, quantity: Quantity, value: f64, now: WallTime) {
        if !self.of.contains_key(persona) {
            self.make_room();
            self.of.insert(persona.clone(), Known::default());
        }
        let Some(Known { learned, .. }) = self.of.get_mut(persona) else { return };
        let at = match learned.iter().position(|(of, _)| *of == quantity) {
            Some(at) => at,
            None => {
                learned.push((quantity, Learned::new(now)));
                learned.len() - 1
            }
        };
        if let Some((_, learned)) = learned.get_mut(at) {
            learned.learn(value, now, &self.policy, &mut self.scratch);
        }
    }

    /// What a persona was recognised by. Of one of whom nothing was learned yet
    /// that is not kept: it is told again at the next look.
    pub fn recognised(&mut self, persona: &Persona, source: &PersonaSource) {
        let Some(known) = self.of.get_mut(persona) else { return };
        if known.source.as_ref() != Some(source) {
            known.rule = Some(source.to_string());
            known.source = Some(source.clone());
        }
    }

    /// The persona goes of which nothing was learned for longest.
    fn make_room(&mut self) {
        while self.of.len() >= PERSONAS_MAX {
            let updated = |of: &[(Quantity, Learned)]| of.iter().map(|(_, of)| of.updated).max();
            let oldest = self.of.iter().min_by_key(|(_, of)| updated(&of.learned));
            let Some(oldest) = oldest.map(|(persona, _)| persona.clone()) else { return };
            self.of.remove(&oldest);
        }
    }

    fn learned(&self, persona: &Persona, quantity: Quantity) -> Option<&Learned> {
        let (_, learned) = self.of.get(persona)?.learned.iter().find(|(of, _)| *of == quantity)?;
        Some(learned)
    }

    /// The habit of a persona; `None` while it is too young.
    #[must_use]
    pub fn habit(&self, persona: &Persona, quantity: Quantity) -> Option<Habit> {
        self.learned(persona, quantity)?.habit()
    }

    /// What a persona's figure is held against: its own habit, where it is too
    /// young that of its neighbours, who were recognised by the same rule, and
    /// where they are too few nothing.
    #[must_use]
    pub fn normal(&self, persona: &Persona, quantity: Quantity) -> Option<Normal> {
        match self.habit(persona, quantity) {
            Some(Habit { samples, centre, spread, peak }) => {
                let basis = Basis::Habit { samples, centre, spread };
                Some(Normal { basis, centre, spread, peak })
            }
            None => self.neighbours(persona, quantity),
        }
    }

    /// What is beyond the usual peak of every neighbour is unusual for one of
    /// whom nothing is known, either.
    fn neighbours(&self, persona: &Persona, quantity: Quantity) -> Option<Normal> {
        let rule = self.of.get(persona)?.rule.as_deref()?;
        let habits: Vec<Habit> = self.habits_of(rule, persona, quantity).collect();
        if habits.len() < NEIGHBOURS_MIN {
            return None;
        }
        let mut centres: Vec<f64> = habits.iter().map(|habit| habit.centre).collect();
        let centre = median(&mut centres);
        let mut distances: Vec<f64> = centres.iter().map(|of| (of - centre).abs()).collect();
        let spread = median(&mut distances) * learned::PER_MEDIAN_DISTANCE;
        let peak = habits.iter().map(|habit| habit.peak).fold(0.0, f64::max);
        let personas = habits.len() as u64;
        let basis = Basis::Neighbours { personas, rule: rule.to_owned(), centre, spread };
        Some(Normal { basis, centre, spread, peak })
    }

    /// The habits of those that were recognised by a rule, but one.
    fn habits_of<'a>(
        &'a self,
        rule: &'a str,
        but: &'a Persona,
        quantity: Quantity,
    ) -> impl Iterator<Item = Habit> + 'a {
        let same = self
            .of
            .iter()
            .filter(move |(other, known)| known.rule.as_deref() == Some(rule) && *other != but);
        same.filter_map(move |(_, known)| known.habit(quantity)).take(NEIGHBOURS_ASKED)
    }

    /// Why there is no [`Baselines::normal`].
    #[must_use]
    pub fn unlearned(&self, persona: &Persona, quantity: Quantity) -> Basis {
        let known = self.of.get(persona);
        let rule = known.and_then(|known| known.rule.clone());
        let neighbours =
            rule.as_deref().map_or(0, |rule| self.habits_of(rule, persona, quantity).count());
        Basis::Unlearned {
            samples: self.learned(persona, quantity).map_or(0, Learned::samples),
            samples_to_learn: self.policy.samples_to_learn,
            neighbours: Some(neighbours as u64),
            neighbours_to_judge: NEIGHBOURS_MIN as u64,
            rule,
        }
    }

    /// Forgets what was learned of a persona, or of everybody, up to a moment.
    /// An order that was obeyed before changes nothing. How many habits went.
    pub fn forget(&mut self, persona: Option<&str>, ordered: WallTime) -> usize {
        // No persona has an empty name.
        let name = persona.unwrap_or_default();
        if self.forgotten.get(name).is_some_and(|before| *before >= ordered) {
            return 0;
        }
        if self.forgotten.len() >= PERSONAS_MAX {
            self.forgotten.clear();
        }
        self.forgotten.insert(name.to_owned(), ordered);
        let count = |of: &BTreeMap<_, Known>| of.values().map(|of| of.learned.len()).sum::<usize>();
        let before = count(&self.of);
        for (of, known) in &mut self.of {
            if persona.is_none_or(|name| of.name == name) {
                known.learned.retain(|(_, learned)| learned.since() > ordered);
            }
        }
        self.of.retain(|_, known| !known.learned.is_empty());
        before - count(&self.of)
    }

    /// Every habit, by persona.
    pub fn iter(&self) -> impl Iterator<Item = ShownHabit<'_>> {
        self.of.iter().flat_map(|(persona, known)| {
            known.learned.iter().map(move |(quantity, learned)| ShownHabit {
                persona,
                quantity: *quantity,
                habit: learned.so_far(),
                samples: learned.samples(),
                since: learned.since(),
                updated: learned.updated,
                speaks: learned.habit().is_some(),
            })
        })
    }
}

/// The upper median; 0 of nothing.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
