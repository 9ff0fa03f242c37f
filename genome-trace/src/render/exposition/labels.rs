//! Whose a sample is, as labels. Two personas that have the same labels are one
//! series: a text that names a series twice is refused as a whole.

use crate::{model::Persona, render::text::cut};

/// The name of those that are summed up. A persona that is called so is, too.
pub(super) const OTHERS: &str = "(others)";
/// Names come from outside and may be long; a series is to be small.
const LONGEST: usize = 128;

/// Values of the labels of a persona.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::render) struct Whose {
    genome: String,
    persona: String,
}

impl Whose {
    pub(in crate::render) fn of(persona: &Persona) -> Self {
        if persona.name == OTHERS {
            return Self::others();
        }
        Self {
            genome: cut(persona.genome_id.as_deref().unwrap_or_default(), LONGEST).into_owned(),
            persona: cut(&persona.name, LONGEST).into_owned(),
        }
    }

    pub(super) fn others() -> Self {
        Self { genome: String::new(), persona: OTHERS.to_owned() }
    }

    /// Of nobody; empty labels are the same as none.
    pub(in crate::render) const fn nobody() -> Self {
        Self { genome: String::new(), persona: String::new() }
    }

    pub(super) fn is_others(&self) -> bool {
        self.persona == OTHERS
    }

    pub(in crate::render) fn labels(&self) -> [(&'static str, &str); 2] {
        [("genome", &self.genome), ("persona", &self.persona)]
    }
}
