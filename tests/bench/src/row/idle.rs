//! What genome-trace takes on a machine on which nothing happens.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::Ground;
use crate::child::Running;
use crate::clock::cpu_time;
use crate::deadline::Deadline;
use crate::lines::Lines;
use crate::subject::genome_trace::{ATTACHED, follow};

/// Processes that are there and do nothing.
const SLEEPERS: u32 = 200;
/// A tracer that has not attached by then never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a quiet machine costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Idle {
    /// Sleeping processes.
    pub(crate) processes: u32,
    /// For how long.
    pub(crate) seconds: f64,
    /// CPU time, in percent of one processor.
    pub(crate) cpu_percent: f64,
    /// Resident memory at the end.
    pub(crate) rss_bytes: u64,
}

pub(super) fn measure(ground: Ground<'_>) -> anyhow::Result<Idle> {
    let sleepers = (0..SLEEPERS)
        .map(|_| {
            let mut command = Command::new("sleep");
            Running::start("a sleeper", command.arg("3600").stdin(Stdio::null()))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let (mut tracer, talk) = attached(follow(ground.tracer, ground.mode).stdout(Stdio::null()))?;
    let tgid = tracer.tgid();
    let (started, cpu_before) = (Instant::now(), cpu_time(tgid)?);
    let length = Duration::from_secs(if ground.quick { 3 } else { 10 });
    ensure!(!tracer.ends_within(length)?, "genome-trace ended while nothing happened");
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu_time(tgid)? - cpu_before);
    let rss_bytes = rss_bytes(tgid)?;
    tracer.signal(rustix::process::Signal::INT)?;
    tracer.wait(&Deadline::after(PATIENCE))?;
    drop((sleepers, talk));
    Ok(Idle {
        processes: SLEEPERS,
        seconds,
        cpu_percent: cpu.as_secs_f64() / seconds * 100.0,
        rss_bytes,
    })
}

/// Starts a tracer and returns once it has attached.
pub(super) fn attached(command: &mut Command) -> anyhow::Result<(Running, Lines)> {
    let mut tracer =
        Running::start("genome-trace", command.stdin(Stdio::null()).stderr(Stdio::piped()))?;
    let talk = Lines::of("genome-trace's stderr", tracer.take_stderr()?)?;
    let deadline = Deadline::after(PATIENCE);
    loop {
        let line = talk.next(&deadline)?.context("genome-trace ended before it attached")?;
        if line.text.starts_with(ATTACHED) {
            return Ok((tracer, talk));
        }
    }
}

pub(super) fn rss_bytes(tgid: u32) -> anyhow::Result<u64> {
    let file = format!("/proc/{tgid}/status");
    let text = fs::read_to_string(&file).with_context(|| format!("read {file}"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse::<u64>().ok())
        .map(|kib| kib * 1024)
        .with_context(|| format!("{file} has no VmRSS"))
}
