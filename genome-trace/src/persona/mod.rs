//! Whose a process is: rules decide on what a program is, the registry hands
//! the answer down to children. Pure: facts in, personas out.

mod facts;
mod judge;
mod kept;
mod registry;
mod rules;

pub use facts::{Facts, claims};
pub use registry::{Grant, Member, Registry};
pub use rules::{Rule, RuleError, RuleFile, Rules, Values, Verdict};
