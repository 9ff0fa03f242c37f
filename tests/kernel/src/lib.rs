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
//! | `GENOME_TRACE_FAKE_NVML` | the library of tests/fake-nvml; without it trials of GPUs are left out |
//! | `GENOME_TRACE_TEST_SCALE` | `full` (default) or `small`, for slow virtual machines |
//! | `GENOME_TRACE_TEST_SCOPE` | `all` (default) or `kernel`: no trial of what userspace does on any kernel alike |
//! | `GENOME_TRACE_TEST_DEADLINE_SECONDS` | the most that one trial may take |
//! | `GENOME_TRACE_SOAK_SECONDS` | the length of the long run |

mod budget;
mod check;
mod child;
mod command_run;
mod deadline;
mod doctor;
mod event;
mod gpus;
mod http;
mod lines;
mod looks;
mod loss;
mod mode;
mod place;
mod proc;
mod program;
mod promtool;
mod recorder;
mod service;
mod setup;
mod small_disk;
mod suite;
mod terminal;
mod tracer;
mod workload;

pub use budget::{Budget, series};
pub use check::Checks;
pub use command_run::{CommandRun, RunReport};
pub use deadline::Deadline;
pub use doctor::Doctor;
pub use event::{Event, Events, LIFECYCLE, sum};
pub use gpus::{FakeGpus, GPU_BYTES, Holding, take_away, uuid};
pub use http::{free_address, get};
pub use looks::Looks;
pub use loss::LossLine;
pub use mode::Mode;
pub use place::Place;
pub use proc::{ProcFigures, TICK_NS, cpu_ns, rss_slack_bytes};
pub use program::{Ended, Program, Started, find};
pub use promtool::promtool;
pub use recorder::{Recorded, Recorder, read_store};
pub use service::Service;
pub use setup::{Scale, Setup};
pub use small_disk::SmallDisk;
pub use suite::{Context, Suite};
pub use terminal::Terminal;
pub use tracer::{Attached, Launch, Trace, Tracer};
pub use workload::{Held, Resting, Truth, Unsupported, Workload};
