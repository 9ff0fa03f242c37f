//! What the tests stand on: the binary as a process without privileges, and
//! how it ended. The tests themselves are in `tests/e2e/`.
//!
//! The binary is the one that `GENOME_TRACE_BIN` names, else the one that
//! cargo builds of this clone.

mod binary;
mod fake_gpus;
mod invocation;
mod waiting;

pub use binary::genome_trace;
pub use fake_gpus::FakeGpus;
pub use invocation::{Ended, Invocation};
pub use waiting::Waiting;
