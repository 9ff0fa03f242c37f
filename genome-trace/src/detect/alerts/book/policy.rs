//! When who is told of what: what can be configured of alerts, whatever found
//! them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Persona, Rule, Severity};

const SECOND_NS: u64 = 1_000_000_000;
const MINUTE_NS: u64 = 60 * SECOND_NS;

/// When who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookPolicy {
    /// Whether there are alerts at all.
    pub enabled: bool,
    /// An alert is over when nothing was found for so long, and one of the same
    /// rule, persona and cause within that time is the same one, in
    /// nanoseconds.
    pub cooldown_ns: u64,
    /// A warning that lasts for so long is an error, in nanoseconds; `None` for
    /// never.
    pub to_error_ns: Option<u64>,
    /// An error that lasts for so long is critical, in nanoseconds; `None` for
    /// never.
    pub to_critical_ns: Option<u64>,
    /// So many causes of a rule and persona have an alert each at one time; all
    /// further ones have one together.
    pub causes_apart: usize,
    /// Of single rules.
    pub rules: BTreeMap<Rule, RulePolicy>,
    /// Rules that nobody is told of, by the name of a persona.
    pub muted: BTreeMap<String, BTreeSet<Rule>>,
}

/// What goes for a rule alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RulePolicy {
    /// Whether there are alerts of it.
    pub enabled: bool,
    /// How bad it is to begin with, whatever its detector says.
    pub severity: Option<Severity>,
    /// Whether it gets worse by lasting alone.
    pub escalates: bool,
}

impl RulePolicy {
    /// That of a rule that nothing is configured of. What is close to a limit
    /// may be so for good, and by design: a model that fills a GPU.
    #[must_use]
    pub const fn of(rule: Rule) -> Self {
        let is_state = matches!(rule, Rule::MemoryLimit | Rule::VramLimit | Rule::OpenFiles);
        Self { enabled: true, severity: None, escalates: !is_state }
    }
}

impl Default for BookPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            cooldown_ns: MINUTE_NS,
            to_error_ns: Some(5 * MINUTE_NS),
            to_critical_ns: Some(15 * MINUTE_NS),
            causes_apart: 3,
            rules: BTreeMap::new(),
            muted: BTreeMap::new(),
        }
    }
}

impl BookPolicy {
    /// What goes for a rule.
    #[must_use]
    pub fn rule(&self, rule: Rule) -> RulePolicy {
        self.rules.get(&rule).copied().unwrap_or(RulePolicy::of(rule))
    }

    /// Whether anybody wants to hear of it.
    pub(super) fn is_wanted(&self, rule: Rule, persona: Option<&Persona>) -> bool {
        let is_muted = |persona: &Persona| {
            self.muted.get(&persona.name).is_some_and(|rules| rules.contains(&rule))
        };
        self.enabled && self.rule(rule).enabled && !persona.is_some_and(is_muted)
    }

    /// How long a severity may last before it is worse; `None` for ever.
    pub(super) fn lasts_ns(&self, rule: Rule, severity: Severity) -> Option<u64> {
        let delay = match severity {
            Severity::Warning => self.to_error_ns,
            Severity::Error => self.to_critical_ns,
            Severity::Critical => None,
        };
        delay.filter(|_| self.rule(rule).escalates)
    }
}
