//! As many processes, files and writes at once as the machine yields.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::Ground;
use super::idle::attached;
use crate::account::{self, Tally, Verdict, worst};
use crate::clock::cpu_time;
use crate::deadline::Deadline;
use crate::machine::Place;
use crate::scenario::Aim;
use crate::subject::genome_trace::{follow, tallies};
use crate::subject::json_lines::Told;
use crate::workload::{Held, Truth, Working};

/// What the tracer still has to say at the end must be out by then.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a flood costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Flood {
    /// How long the work took.
    pub(crate) seconds: f64,
    /// Processes begun, executed and ended, files created and writes done, a
    /// second.
    pub(crate) events_per_second: f64,
    /// JSON lines that the tracer wrote.
    pub(crate) lines: u64,
    /// CPU time of the tracer without what stopping takes, in percent of one
    /// processor.
    pub(crate) cpu_percent: f64,
    /// CPU seconds of the tracer for a million lines.
    pub(crate) cpu_seconds_per_million: f64,
    /// The most memory of the tracer.
    pub(crate) peak_rss_bytes: u64,
    /// What it told, against the truth.
    pub(crate) tallies: Vec<Tally>,
    /// Exec, fork and exit events that were lost.
    pub(crate) lifecycle_lost: u64,
    /// The worst of the tallies.
    pub(crate) verdict: Option<Verdict>,
}

pub(super) fn measure(ground: Ground<'_>) -> anyhow::Result<Flood> {
    // In memory: a disk would hold the flood back.
    let place = Place::under(&ground.scratch.path(""))?;
    let output = ground.scratch.path("flood");
    let stdout = File::create(&output).with_context(|| format!("create {}", output.display()))?;
    let held = loads(&place, if ground.quick { 1 } else { 4 })
        .iter()
        .map(|words| Held::start(ground.workload, words, &ground.cpus.all))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let stopping = cpu_of_stopping(ground)?;
    let (mut tracer, talk) = attached(follow(ground.tracer, ground.mode).stdout(stdout))?;
    let cpu_before = cpu_time(tracer.tgid())?;
    let started = Instant::now();
    let working = held.into_iter().map(Held::release).collect::<anyhow::Result<Vec<_>>>()?;
    let truths = working.into_iter().map(Working::finish).collect::<anyhow::Result<Vec<_>>>()?;
    let seconds = started.elapsed().as_secs_f64();
    tracer.signal(Signal::INT)?;
    let ended = tracer.wait(&Deadline::after(PATIENCE))?;
    drop(talk);
    let told = told(&output, &truths)?;
    // Only the space is lost where this fails.
    let _ = std::fs::remove_file(&output);
    let cpu = ended.cpu.saturating_sub(cpu_before).saturating_sub(stopping).as_secs_f64();
    let of_life = |tally: &&Tally| ["exec", "fork", "exit"].contains(&tally.kind.as_str());
    Ok(Flood {
        seconds,
        events_per_second: told.tallies.iter().map(|tally| tally.truth).sum::<u64>() as f64
            / seconds,
        lines: told.lines,
        cpu_percent: cpu / seconds * 100.0,
        cpu_seconds_per_million: cpu * 1e6 / told.lines.max(1) as f64,
        peak_rss_bytes: ended.peak_rss_bytes,
        lifecycle_lost: told
            .tallies
            .iter()
            .filter(of_life)
            .map(|tally| tally.truth.saturating_sub(tally.seen))
            .sum(),
        verdict: worst(told.tallies.iter().map(Tally::verdict)),
        tallies: told.tallies,
    })
}

/// CPU time from attached to ended, where nothing happens in between.
fn cpu_of_stopping(ground: Ground<'_>) -> anyhow::Result<Duration> {
    let (mut tracer, _talk) =
        attached(follow(ground.tracer, ground.mode).stdout(std::process::Stdio::null()))?;
    let cpu_before = cpu_time(tracer.tgid())?;
    tracer.signal(Signal::INT)?;
    let ended = tracer.wait(&Deadline::after(PATIENCE))?;
    Ok(ended.cpu.saturating_sub(cpu_before))
}

/// The command lines of the workloads, of that many parts each.
fn loads(place: &Place, parts: u64) -> Vec<Vec<OsString>> {
    let count = |each: u64| (each * parts).to_string();
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    let mut loads = vec![words(&[
        "spawn-storm",
        "--jobs",
        "4",
        "--self-exit",
        "--clear-env",
        "--count",
        &count(1500),
    ])];
    for name in ["files-0", "files-1"] {
        let mut load =
            words(&["create-files", "--procs", "2", "--keep", "--count", &count(4000), "--dir"]);
        load.push(place.path(name).into_os_string());
        loads.push(load);
    }
    for _ in 0..2 {
        loads.push(words(&["write-storm", "--path", "/dev/null", "--count", &count(500_000)]));
    }
    loads
}

/// What all workloads together come to.
struct Sum {
    tallies: Vec<Tally>,
    lines: u64,
}

fn told(output: &Path, truths: &[Truth]) -> anyhow::Result<Sum> {
    let (mut sums, mut lines) = (Vec::<Tally>::new(), 0);
    for truth in truths {
        let told = Told::read(output, truth.tgid()?, &truth.workers())?;
        lines = told.events;
        for tally in tallies(&told, Aim::Workload, truth) {
            // The losses are those of the whole trace, whoever asks.
            let told_lost = tally.told_lost;
            let kind = tally.kind.clone();
            account::add(&mut sums, vec![Tally { told_lost: 0, ..tally }]);
            if let Some(sum) = sums.iter_mut().find(|sum| sum.kind == kind) {
                sum.told_lost = told_lost;
            }
        }
    }
    Ok(Sum { tallies: sums, lines })
}
