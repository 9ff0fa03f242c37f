//! The binary from outside, without root, and the documents held against it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod alerts;
mod attach;
mod baseline;
mod compare_runs;
mod crashes;
mod desktop;
mod doctor;
mod documents;
mod gpus;
mod help;
mod history;
mod one_persona;
mod personas;
mod privileges;
mod prometheus;
mod record;
mod remedy;
mod run;
mod service_unit;
mod sessions;
mod stats;
mod stdout;
mod usage;
mod watch;

use std::ffi::OsStr;

use genome_trace_tests_e2e::{Ended, Invocation};

/// Runs the binary as the user who runs the tests.
fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ended {
    Invocation::new(args).unwrap().run().unwrap()
}

/// Runs it without any capability.
fn run_unprivileged<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ended {
    Invocation::unprivileged(args).unwrap().run().unwrap()
}
