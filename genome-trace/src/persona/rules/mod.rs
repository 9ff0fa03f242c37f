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
use template::clean;
use trust::Trust;
use values::Values;

use super::Facts;
use crate::model::{Decision, Persona, PersonaSource};

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
    pub fn by_environment(&self, facts: &Facts) -> Option<Decision> {
        let said = |claim: &Option<Box<[u8]>>| clean(&String::from_utf8_lossy(claim.as_deref()?));
        let (name, genome_id) = (said(&facts.claimed_name), said(&facts.claimed_id));
        let name = name.or_else(|| genome_id.clone())?;
        let trusted =
            self.trust.as_ref().is_none_or(|trust| trust.iter().any(|who| who.covers(facts)));
        trusted.then_some(Decision {
            persona: Persona { name, genome_id },
            source: PersonaSource::Environment,
        })
    }

    /// The first rule of the files that matches.
    #[must_use]
    pub fn by_file(&self, facts: &Facts) -> Option<Decision> {
        first(&self.files, facts)
    }

    /// The first built-in rule that matches.
    #[must_use]
    pub fn by_program(&self, facts: &Facts) -> Option<Decision> {
        first(self.built_in, facts)
    }

    /// The container or systemd unit that the process is in: the last resort.
    #[must_use]
    pub fn by_cgroup(&self, facts: &Facts) -> Option<Decision> {
        cgroup::decide(facts.cgroup_path.as_deref()?)
    }

    /// Whether a rule asks for the working directory.
    #[must_use]
    pub fn need_cwd(&self) -> bool {
        self.files.iter().chain(self.built_in).any(Rule::needs_cwd)
    }
}

fn first(rules: &[Rule], facts: &Facts) -> Option<Decision> {
    if rules.is_empty() {
        return None;
    }
    let values = Values::of(facts);
    rules.iter().find_map(|rule| rule.decide_on(&values))
}
