//! Rules: from what a process is to whose it is, from files and from those
//! that genome-trace brings along.

mod built_in;
mod cgroup;
mod condition;
mod error;
mod file;
mod nearest;
mod read_rule;
mod rule;
mod template;
mod trust;
mod values;
mod verdict;

#[cfg(test)]
mod documented;
#[cfg(test)]
mod error_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use error::RuleError;
pub use file::RuleFile;

pub use rule::Rule;
pub use values::Values;
pub use verdict::Verdict;

use std::borrow::Cow;

use template::clean;
use trust::Trust;

use super::Facts;
use crate::model::{Decision, PersonaSource};

/// All rules in force.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Who is believed; `None` where no file restricts it.
    trust: Option<Vec<Trust>>,
    files: Vec<Rule>,
    built_in: &'static [Rule],
}

impl Rules {
    /// Those of the files, the first file's first, then the built-in ones.
    #[must_use]
    pub fn new(files: Vec<RuleFile>) -> Self {
        let trust = files.iter().find_map(|file| file.trust.clone());
        let files = files.into_iter().flat_map(|file| file.rules).collect();
        Self { trust, files, built_in: built_in::rules() }
    }

    /// Whose a process says it is, by its environment, where it may say so.
    #[must_use]
    pub fn by_environment<'v>(&self, facts: &'v Facts<'_>) -> Option<Verdict<'v>> {
        let said =
            |claim: &'v Option<Cow<'_, [u8]>>| clean(String::from_utf8_lossy(claim.as_deref()?));
        let (name, genome_id) = (said(&facts.claimed_name), said(&facts.claimed_id));
        let name = name.or_else(|| genome_id.clone())?;
        let trusted =
            self.trust.as_ref().is_none_or(|trust| trust.iter().any(|who| who.covers(facts)));
        let source = Cow::Owned(PersonaSource::Environment);
        trusted.then_some(Verdict { name, genome_id, source })
    }

    /// The first rule of the files that matches.
    #[must_use]
    pub fn by_file(&self, values: &Values<'_>) -> Option<Verdict<'_>> {
        self.files.iter().find_map(|rule| rule.decide_on(values))
    }

    /// The first built-in rule that matches.
    #[must_use]
    pub fn by_program(&self, values: &Values<'_>) -> Option<Verdict<'_>> {
        self.built_in.iter().find_map(|rule| rule.decide_on(values))
    }

    /// The container or systemd unit that a cgroup belongs to: the last resort.
    #[must_use]
    pub fn by_cgroup(path: &[u8]) -> Option<Decision> {
        cgroup::decide(path)
    }

    /// Whether a rule asks for the working directory.
    #[must_use]
    pub fn need_cwd(&self) -> bool {
        self.files.iter().chain(self.built_in).any(Rule::needs_cwd)
    }
}
