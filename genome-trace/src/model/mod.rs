//! What genome-trace talks about: processes, events, losses. Pure types; they
//! know neither the kernel's layout nor how they are shown.

mod diagnosis;
mod ending;
mod event;
mod kind;
mod lost;
mod persona;
mod process;
mod roster;
mod signal;
mod time;

pub use diagnosis::{Check, CheckState, Diagnosis, ModeState, ProbeState, RingState, RouteState};
pub use ending::Ending;
pub use event::{
    Argv, Event, Exec, Exit, FileCreate, FileUnlink, FileWrite, MemoryConstraint, OomKill, Payload,
    Signal,
};
pub use kind::{EventKind, UnknownKind};
pub use lost::Lost;
pub use persona::{Decision, Persona, PersonaSource};
pub use process::{Process, ProcessKey, Watch};
pub use roster::{RosterEntry, RosterProcess};
pub use signal::SignalNumber;
pub use time::WallTime;
