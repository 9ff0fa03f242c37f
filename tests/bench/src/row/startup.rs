//! From the start of genome-trace to the first byte that it prints, while
//! processes come and go.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::Ground;
use crate::child::Running;
use crate::clock::monotonic_ns;
use crate::deadline::Deadline;
use crate::lines::Lines;
use crate::stats::Spread;
use crate::subject::genome_trace::follow;
use crate::workload::{Held, Working};

/// A tracer that says nothing by then never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// How soon the first event comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Startup {
    /// Starts.
    pub(crate) runs: u32,
    /// Milliseconds from the start to the first line.
    pub(crate) first_event_ms: Spread,
}

pub(super) fn measure(ground: Ground<'_>) -> anyhow::Result<Startup> {
    let runs = if ground.quick { 3 } else { 7 };
    let storm = endless_processes(ground)?;
    // The first start reads the program from the disk and is not believed.
    first_event_ms(ground)?;
    let times = (0..runs).map(|_| first_event_ms(ground)).collect::<anyhow::Result<Vec<_>>>()?;
    drop(storm);
    Ok(Startup { runs, first_event_ms: Spread::of(&times).context("start: there was no run")? })
}

/// Processes that come and go until the value goes.
pub(super) fn endless_processes(ground: Ground<'_>) -> anyhow::Result<Working> {
    let words = ["spawn-storm", "--count", "4000000000", "--clear-env"].map(Into::into);
    Held::start(ground.workload, &words, &ground.cpus.work)?.release()
}

fn first_event_ms(ground: Ground<'_>) -> anyhow::Result<f64> {
    let started_ns = monotonic_ns();
    let mut tracer = Running::start(
        "genome-trace",
        follow(ground.tracer, ground.mode)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null()),
    )?;
    let stdout = Lines::of("genome-trace's stdout", tracer.take_stdout()?)?;
    let line = stdout.next(&Deadline::after(PATIENCE))?;
    let line = line.context("genome-trace ended before it said anything")?;
    Ok(line.at_ns.saturating_sub(started_ns) as f64 / 1e6)
}
