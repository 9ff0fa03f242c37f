//! Names for the frames of a stack, by the programs and libraries that they
//! lie in. It takes files of others apart and may take long, so it has a
//! thread of its own.

mod elf;
mod maps;
mod names;
mod object;
mod program;
mod resolver;
mod search;
mod thread;

pub use resolver::{Resolver, StackRequest};
pub use thread::{StackAnswer, Symbolizer};
