//! What the kernel tests stand on: the tracer as a process, the workloads as
//! processes, the events between them, and a deadline over everything.
//!
//! The trials themselves are in `tests/kernel/`. They need root and two
//! programs, named by the environment; without them every trial is ignored,
//! and none passes:
//!
//! | variable | meaning |
//! |---|---|
//! | `GENOME_TRACE_BIN` | the tracer |
//! | `GENOME_TRACE_WORKLOAD` | `genome-trace-workload` |
//! | `GENOME_TRACE_TEST_SCALE` | `full` (default) or `small`, for slow virtual machines |
//! | `GENOME_TRACE_TEST_DEADLINE_SECONDS` | the most that one trial may take |
//! | `GENOME_TRACE_SOAK_SECONDS` | the length of the long run |

mod check;
mod child;
mod deadline;
mod doctor;
mod event;
mod lines;
mod loss;
mod mode;
mod program;
mod setup;
mod suite;
mod tracer;
mod workload;

pub use check::Checks;
pub use deadline::Deadline;
pub use doctor::Doctor;
pub use event::{Event, Events, LIFECYCLE, sum};
pub use loss::LossLine;
pub use mode::Mode;
pub use program::{Ended, Program, Started, find};
pub use setup::{Scale, Setup};
pub use suite::{Context, Suite};
pub use tracer::{Attached, Launch, Trace, Tracer};
pub use workload::{Held, Truth, Unsupported, Workload};
