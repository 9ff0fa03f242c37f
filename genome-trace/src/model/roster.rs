//! Who is who now: what `personas` lists.

use super::{Persona, PersonaSource, WallTime};

/// A persona and its processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEntry {
    /// Whose they are; `None` for those that nothing is known of.
    pub persona: Option<Persona>,
    /// What decided, on the oldest of them.
    pub source: Option<PersonaSource>,
    /// When that was.
    pub since: Option<WallTime>,
    /// The processes, oldest first.
    pub processes: Vec<RosterProcess>,
}

/// A process of a persona.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterProcess {
    /// Process id.
    pub tgid: u32,
    /// Its name.
    pub comm: Vec<u8>,
    /// It has the persona from an ancestor.
    pub inherited: bool,
}
