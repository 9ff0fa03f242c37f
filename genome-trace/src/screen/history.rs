//! What each persona used in the last looks.

use std::collections::{BTreeMap, VecDeque};

use super::figure::known;
use crate::model::{Figures, Metric, Persona, Usage};

/// Looks that are kept: two minutes at one a second.
pub(super) const LOOKS_KEPT: usize = 120;

/// The last looks, of each persona that was in one of them.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// The newest last. `None` where there was no look, or the persona was not
    /// in it.
    of: BTreeMap<Persona, VecDeque<Option<Figures>>>,
}

impl History {
    /// Takes in a look.
    pub(super) fn look(&mut self, usage: &Usage) {
        for persona in &usage.personas {
            if !self.of.contains_key(&persona.persona) {
                self.of.insert(persona.persona.clone(), VecDeque::new());
            }
        }
        for (persona, looks) in &mut self.of {
            let now = usage.personas.iter().find(|usage| usage.persona == *persona);
            push(looks, now.map(|usage| usage.figures));
        }
        self.forget();
    }

    /// There was no look.
    pub(super) fn gap(&mut self) {
        self.of.values_mut().for_each(|looks| push(looks, None));
        self.forget();
    }

    /// Who was in none of the looks that are kept.
    fn forget(&mut self) {
        self.of.retain(|_, looks| looks.iter().any(Option::is_some));
    }

    /// The last `count` figures, the newest last; fewer where there are fewer.
    pub(super) fn last(&self, who: &Persona, metric: Metric, count: usize) -> Vec<Option<f64>> {
        let looks = self.of.get(who);
        let skipped = looks.map_or(0, |looks| looks.len().saturating_sub(count));
        let looks = looks.into_iter().flatten().skip(skipped);
        looks.map(|look| known(look.as_ref()?.get(metric))).collect()
    }
}

fn push(looks: &mut VecDeque<Option<Figures>>, look: Option<Figures>) {
    if looks.len() == LOOKS_KEPT {
        looks.pop_front();
    }
    looks.push_back(look);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::script;

    #[test]
    fn it_is_bounded_and_has_gaps() {
        let mut history = History::default();
        let mut usage = script::look(0).usage;
        let who = usage
            .personas
            .first()
            .map(|usage| usage.persona.clone())
            .unwrap_or_else(|| Persona { name: String::new(), genome_id: None });
        for _ in 0..LOOKS_KEPT * 2 {
            history.look(&usage);
        }
        history.gap();
        let last = history.last(&who, Metric::RssBytes, usize::MAX);
        assert_eq!(last.len(), LOOKS_KEPT);
        assert!(matches!(last.as_slice(), [.., Some(_), None]));
        assert_eq!(history.last(&who, Metric::RssBytes, 2).len(), 2);
        usage.personas.clear();
        for _ in 0..LOOKS_KEPT {
            history.look(&usage);
        }
        assert!(history.of.is_empty());
    }
}
