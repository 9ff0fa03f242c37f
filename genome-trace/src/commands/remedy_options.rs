//! The table `[remedies]` of the configuration.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    detect::RemedyPolicy,
    model::{Remedy, Rule},
};

/// As it is written. Without the table, or without `enabled`, nothing is done.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "the table [remedies]")]
pub(super) struct RemedyOptions {
    enabled: bool,
    dry_run: bool,
    confidence: Option<Confidence>,
    allow: BTreeSet<String>,
    deny: BTreeSet<String>,
    rule: BTreeMap<Rule, Remedy>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "f64")]
struct Confidence(f64);

impl TryFrom<f64> for Confidence {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        if (0.5..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(format!("{value} is no confidence, which is a number from 0.5 to 1"))
        }
    }
}

impl RemedyOptions {
    /// What is done; `None` where nothing ever is.
    pub(super) fn policy(&self, dry_run: bool) -> Option<RemedyPolicy> {
        let default = RemedyPolicy::default();
        (self.enabled && !self.rule.is_empty()).then(|| RemedyPolicy {
            by_rule: self.rule.clone(),
            allow: self.allow.clone(),
            deny: self.deny.clone(),
            confidence: self.confidence.map_or(default.confidence, |of| of.0),
            dry_run: dry_run || self.dry_run,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RemedyOptions, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn it_is_off_unless_it_is_turned_on() {
        assert_eq!(read("").unwrap().policy(true), None);
        assert_eq!(read("[rule]\nmass_create = \"stop\"").unwrap().policy(false), None);
        assert_eq!(read("enabled = true").unwrap().policy(false), None);
        let text =
            "enabled = true\nconfidence = 0.9\ndeny = [\"Judge\"]\n[rule]\nmass_create = \"stop\"";
        let policy = read(text).unwrap().policy(true).unwrap();
        assert_eq!(policy.by_rule, [(Rule::MassCreate, Remedy::Stop)].into());
        assert!(policy.dry_run && policy.deny.contains("Judge"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(read("enable = true").unwrap_err().contains("unknown field `enable`"));
        assert!(read("confidence = 95").unwrap_err().contains("from 0.5 to 1"));
        let error = read("[rule]\nmass_create = \"pause\"").unwrap_err();
        assert!(error.contains("`pause`") && error.contains("`kill`"), "{error}");
    }
}
