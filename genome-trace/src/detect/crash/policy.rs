//! Which exit codes are ordinary ends.

use std::collections::{BTreeMap, BTreeSet};

/// Which exit codes are ordinary ends. 0 always is; by default no other one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrashPolicy {
    /// Codes that are ordinary for every persona.
    pub everybodys: BTreeSet<u8>,
    /// By the name of a persona: the codes that are ordinary for it, too.
    pub by_persona: BTreeMap<String, BTreeSet<u8>>,
}

impl CrashPolicy {
    /// Whether a process of that persona ends so in the ordinary way.
    #[must_use]
    pub fn is_ordinary(&self, persona: &str, code: u8) -> bool {
        code == 0
            || self.everybodys.contains(&code)
            || self.by_persona.get(persona).is_some_and(|codes| codes.contains(&code))
    }
}
