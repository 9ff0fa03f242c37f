//! One rule: conditions, and whose a process is that fulfils them.

use std::borrow::Cow;

use super::condition::{Captured, Condition};
use super::template::Template;
use super::values::Values;
use super::verdict::Verdict;
use crate::model::{Decision, PersonaSource};
use crate::persona::Facts;

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) line: usize,
    pub(super) name: Template,
    pub(super) genome_id: Option<Template>,
    /// Never empty.
    pub(super) conditions: Vec<Condition>,
    pub(super) source: PersonaSource,
}

impl Rule {
    /// Line of its file that it begins in, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Its conditions, in one line, as they stand in the file.
    #[must_use]
    pub fn text(&self) -> String {
        let conditions: Vec<String> = self.conditions.iter().map(ToString::to_string).collect();
        conditions.join(", ")
    }

    /// Whose a process is by this rule alone; `None` where it does not match.
    #[must_use]
    pub fn decide(&self, facts: &Facts<'_>) -> Option<Decision> {
        let mut room = String::new();
        self.decide_on(&Values::of(facts, &mut room)).map(Verdict::into_decision)
    }

    pub(super) fn decide_on(&self, values: &Values<'_>) -> Option<Verdict<'_>> {
        let mut captured = Captured::new();
        if !self.conditions.iter().all(|condition| condition.holds(values, &mut captured)) {
            return None;
        }
        let name = self.name.fill(&captured)?;
        let genome_id = self.genome_id.as_ref().and_then(|id| id.fill(&captured));
        Some(Verdict { name, genome_id, source: Cow::Borrowed(&self.source) })
    }

    pub(super) fn needs_cwd(&self) -> bool {
        self.conditions.iter().any(Condition::needs_cwd)
    }
}
