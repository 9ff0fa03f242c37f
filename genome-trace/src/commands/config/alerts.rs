//! The table `[alerts]`: what is watched for, when it is too much, and who is
//! told.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    channels::{Channels, CommandTable, OffByDefault, OnByDefault, WebhookTable},
    thresholds::{Files, Habits, Levels, Loops},
    values::{Many, Span, SpanOrNever},
};
use crate::{
    detect::{BookPolicy, DetectPolicy, RulePolicy},
    model::{Rule, Severity},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "the table [alerts]")]
pub(super) struct Alerts {
    enabled: Option<bool>,
    cooldown: Option<Span>,
    error_after: Option<SpanOrNever>,
    critical_after: Option<SpanOrNever>,
    causes_apart: Option<Many>,
    #[serde(deserialize_with = "by_rule")]
    rule: BTreeMap<Rule, OfRule>,
    persona: BTreeMap<String, OfPersona>,
    files: Files,
    levels: Levels,
    loops: Loops,
    habits: Habits,
    terminal: OnByDefault,
    journal: OnByDefault,
    desktop: OffByDefault,
    webhook: BTreeMap<String, WebhookTable>,
    command: BTreeMap<String, CommandTable>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table such as [alerts.rule.mass_create]")]
struct OfRule {
    enabled: Option<bool>,
    severity: Option<Level>,
    escalates: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table such as [alerts.persona.NAME]")]
struct OfPersona {
    muted: Vec<RuleName>,
}

/// By its name, with a sentence where it is none.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct RuleName(Rule);

impl TryFrom<String> for RuleName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse().map(Self).map_err(|error: crate::model::UnknownRule| error.to_string())
    }
}

/// Likewise.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Level(pub(super) Severity);

impl TryFrom<String> for Level {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse().map(Self).map_err(|error: crate::model::UnknownSeverity| error.to_string())
    }
}

fn by_rule<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Rule, OfRule>, D::Error> {
    let by_name = BTreeMap::<String, OfRule>::deserialize(from)?;
    let of = |(name, of): (String, OfRule)| {
        let RuleName(rule) = RuleName::try_from(name).map_err(D::Error::custom)?;
        Ok((rule, of))
    };
    by_name.into_iter().map(of).collect()
}

impl Alerts {
    pub(super) fn policy(&self) -> DetectPolicy {
        DetectPolicy {
            files: self.files.policy(),
            levels: self.levels.policy(),
            loops: self.loops.policy(),
            habits: self.habits.policy(),
            book: self.book(),
        }
    }

    /// Who is told.
    pub(super) const fn channels(&self) -> Channels<'_> {
        Channels {
            terminal: &self.terminal,
            journal: &self.journal,
            desktop: &self.desktop,
            webhook: &self.webhook,
            command: &self.command,
        }
    }

    fn book(&self) -> BookPolicy {
        let default = BookPolicy::default();
        let rules = self.rule.iter().map(|(rule, of)| {
            let usual = RulePolicy::of(*rule);
            let policy = RulePolicy {
                enabled: of.enabled.unwrap_or(usual.enabled),
                severity: of.severity.map(|level| level.0),
                escalates: of.escalates.unwrap_or(usual.escalates),
            };
            (*rule, policy)
        });
        let muted = self.persona.iter().map(|(name, of)| {
            let rules: BTreeSet<Rule> = of.muted.iter().map(|rule| rule.0).collect();
            (name.clone(), rules)
        });
        let causes = self.causes_apart.map(u64::from);
        let or = |after: Option<SpanOrNever>, default| after.map_or(default, |after| after.0);
        BookPolicy {
            enabled: self.enabled.unwrap_or(default.enabled),
            cooldown_ns: self.cooldown.map_or(default.cooldown_ns, u64::from),
            to_error_ns: or(self.error_after, default.to_error_ns),
            to_critical_ns: or(self.critical_after, default.to_critical_ns),
            causes_apart: causes.map_or(default.causes_apart, |causes| {
                usize::try_from(causes).unwrap_or(usize::MAX)
            }),
            rules: rules.collect(),
            muted: muted.collect(),
        }
    }
}
