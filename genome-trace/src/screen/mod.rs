//! The live screen: what comes from keys and looks goes into [`State`], which
//! [`draw()`] lays out; both are pure. [`run`] is what reads keys, waits for
//! signals and writes to the terminal, [`write_plain`] what a pipe gets.

mod draw;
mod history;
mod keys;
mod look;
mod looker;
mod plain;
mod run;
mod state;
mod terminal;

use crate::render::usage_table::{column, figure, tree};

pub use draw::draw;
pub use keys::Wish;
pub use look::{Look, Looks, ToldEvent};
pub use plain::write_plain;
pub use run::{run, run_plain};
pub use state::{Setting, State};

#[cfg(test)]
#[path = "../../examples/watch/script.rs"]
mod script;
#[cfg(test)]
mod tests;
