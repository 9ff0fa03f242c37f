//! What is measured against no tracer: genome-trace in each mode, and its
//! peers.

pub(crate) mod attached;
pub(crate) mod genome_trace;
pub(crate) mod json_lines;
pub(crate) mod peer;
mod ready;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Tally;
use crate::scenario::Aim;
use crate::workload::Truth;

/// One tracer, or several that are only together what genome-trace is alone.
pub(crate) struct Subject {
    /// What the report calls it.
    pub(crate) name: String,
    /// genome-trace's mode; `None` for a peer.
    pub(crate) mode: Option<String>,
    /// How many times smaller its workloads are, for the sake of the clock.
    pub(crate) slowness: u64,
    /// The programs that are started.
    pub(crate) programs: Vec<Box<dyn Program>>,
}

/// One program that traces.
pub(crate) trait Program {
    /// What errors call it.
    fn name(&self) -> &str;

    /// Its command line. stdout will be the file `output`, which a program
    /// that writes elsewhere may be told to write to.
    fn command(&self, target: &Target, output: &Path) -> Command;

    /// How to know that it has attached.
    fn ready(&self, output: &Path) -> Ready;

    /// What it told of the workload, out of its output and its talk on stderr,
    /// against the truth; empty where it tells nothing that could be counted.
    fn tally(&self, target: &Target, output: &Path, truth: &Truth) -> anyhow::Result<Vec<Tally>>;
}

/// Whom a program looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// In what.
    pub(crate) aim: Aim,
    /// The workload, not yet at work.
    pub(crate) workload_tgid: u32,
    /// Somebody who sleeps all the while.
    pub(crate) bystander_tgid: u32,
}

/// The event that shows that a program has attached.
pub(crate) enum Ready {
    /// A line on stderr has this in it.
    Talk(&'static str),
    /// stdout has this in it.
    Output(&'static str),
    /// Its output speaks of a process that did a little of the load.
    Canary,
    /// It answers, in one FIFO, the order to begin, in another.
    Control {
        /// Where orders go.
        order: PathBuf,
        /// Where answers come from.
        answer: PathBuf,
    },
}
