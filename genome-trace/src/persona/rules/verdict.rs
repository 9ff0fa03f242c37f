//! What the rules say of a process, before anybody keeps it.

use std::borrow::Cow;

use crate::model::{Decision, Persona, PersonaSource};

/// A decision that borrows what it can from the rule and the facts that it was
/// made of: most are the same as one that is kept already.
#[derive(Clone, Debug)]
pub struct Verdict<'v> {
    pub(super) name: Cow<'v, str>,
    pub(super) genome_id: Option<Cow<'v, str>>,
    pub(super) source: Cow<'v, PersonaSource>,
}

impl Verdict<'_> {
    /// The persona's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The genome id.
    #[must_use]
    pub fn genome_id(&self) -> Option<&str> {
        self.genome_id.as_deref()
    }

    /// Whether it is this decision.
    #[must_use]
    pub fn is(&self, decision: &Decision) -> bool {
        self.name == decision.persona.name
            && self.genome_id.as_deref() == decision.persona.genome_id.as_deref()
            && *self.source == decision.source
    }

    /// The decision, to be kept.
    #[must_use]
    pub fn into_decision(self) -> Decision {
        let persona = Persona {
            name: self.name.into_owned(),
            genome_id: self.genome_id.map(Cow::into_owned),
        };
        Decision { persona, source: self.source.into_owned() }
    }
}
