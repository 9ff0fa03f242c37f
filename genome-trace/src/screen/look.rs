//! What the screen shows, and where it comes from.

use std::collections::BTreeMap;

use crate::model::{EventKind, GpuSnapshot, Health, Persona, Sighting, Usage};

/// Where looks come from.
pub trait Looks {
    /// Looks once. It may take its time: it is called on a thread of its own.
    ///
    /// # Errors
    /// A sentence that names the operation, the object and the remedy. The next
    /// look is asked for all the same.
    fn look(&mut self) -> anyhow::Result<Look>;
}

/// One look at everything that is shown.
#[derive(Clone, Debug)]
pub struct Look {
    /// What everybody uses.
    pub usage: Usage,
    /// The GPUs; `None` where they could not be looked at.
    pub gpus: Option<GpuSnapshot>,
    /// Crashes in the last hour; who is not named had none. `None` where
    /// nothing knows.
    pub crashes: Option<BTreeMap<Persona, u64>>,
    /// How the machine is.
    pub health: Health,
    /// Events since the look before, in their order.
    pub events: Vec<ToldEvent>,
}

impl Look {
    /// What is known of personas beside what they use.
    #[must_use]
    pub const fn seen(&self) -> Sighting<'_> {
        Sighting { wall_time: self.usage.wall_time, crashes: self.crashes.as_ref() }
    }
}

/// An event as a line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldEvent {
    /// Its kind.
    pub kind: EventKind,
    /// The line, without colour and newline; names in it are escaped.
    pub line: String,
}
