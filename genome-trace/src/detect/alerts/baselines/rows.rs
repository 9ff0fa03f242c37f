//! Habits as rows of a store, and back.

use serde::{Deserialize, Serialize};

use super::{Baselines, HabitPolicy, Learned, PERSONAS_MAX};
use crate::model::{BaselineRow, Persona};

/// A row's record: what was learned, and of whom, so that the young have
/// neighbours right after a restart.
#[derive(Serialize)]
struct Record<'a> {
    rule: Option<&'a str>,
    #[serde(flatten)]
    learned: &'a Learned,
}

/// The part of it that [`Learned::restored`] does not read.
#[derive(Deserialize)]
struct OfRule {
    #[serde(default)]
    rule: Option<String>,
}

impl Baselines {
    /// What was learned before. Rows that make no sense, or are of what a later
    /// version learns, are passed over; of too many personas those stay that
    /// were learned from last.
    #[must_use]
    pub fn from_rows(rows: &[BaselineRow], policy: &HabitPolicy) -> Self {
        let mut baselines = Self::new(policy.clone());
        let mut latest: Vec<&BaselineRow> = rows.iter().collect();
        latest.sort_by_key(|row| std::cmp::Reverse(row.updated));
        for row in latest {
            let Ok(quantity) = row.quantity.parse() else { continue };
            let is_known = baselines.of.contains_key(&row.persona);
            if row.persona.name.is_empty() || !is_known && baselines.of.len() >= PERSONAS_MAX {
                continue;
            }
            let learned = Learned::restored(&row.record, row.updated, policy);
            let Some(learned) = learned else { continue };
            let of = baselines.of.entry(row.persona.clone()).or_default();
            if of.rule.is_none() {
                of.rule = serde_json::from_str(&row.record).ok().and_then(|of: OfRule| of.rule);
            }
            if of.learned.iter().all(|(other, _)| *other != quantity) {
                of.learned.push((quantity, learned));
            }
        }
        baselines
    }

    /// Everything that was learned.
    #[must_use]
    pub fn rows(&self) -> Vec<BaselineRow> {
        let all = self.of.iter().flat_map(|(persona, of)| {
            let rule = of.rule.as_deref();
            let rows = of.learned.iter();
            rows.filter_map(move |(quantity, learned)| row(persona, rule, quantity.name(), learned))
        });
        all.collect()
    }

    /// What has changed since the last such call.
    pub fn take_changed(&mut self) -> Vec<BaselineRow> {
        let mut rows = Vec::new();
        for (persona, of) in &mut self.of {
            let rule = of.rule.as_deref();
            let changed = of.learned.iter_mut().filter(|(_, learned)| learned.is_changed);
            for (quantity, learned) in changed {
                learned.is_changed = false;
                rows.extend(row(persona, rule, quantity.name(), learned));
            }
        }
        rows
    }
}

fn row(
    persona: &Persona,
    rule: Option<&str>,
    quantity: &str,
    learned: &Learned,
) -> Option<BaselineRow> {
    Some(BaselineRow {
        persona: persona.clone(),
        quantity: quantity.to_owned(),
        since: learned.since(),
        updated: learned.updated,
        record: serde_json::to_string(&Record { rule, learned }).ok()?,
    })
}
