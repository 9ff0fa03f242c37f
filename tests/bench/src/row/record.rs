//! What recording storms of short processes costs, into a store on a disk.

use std::ffi::OsString;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use genome_trace::model::{GapReason, Payload, TimeRange};
use genome_trace::store::{EventQuery, History as _, Place as StorePlace, Reader};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::Ground;
use super::idle::attached;
use crate::account::{Tally, Verdict, worst};
use crate::clock::cpu_time;
use crate::deadline::Deadline;
use crate::machine::{Place, file_system_of};
use crate::scenario::Aim;
use crate::subject::genome_trace::tallies;
use crate::subject::json_lines::Told;
use crate::workload::Held;

/// What waits must be stored by then.
const PATIENCE: Duration = Duration::from_secs(120);

/// Processes that end in a second, where they do nothing else.
const EXITS_A_SECOND: u32 = 10_000;

/// What recording costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What the store is on.
    pub(crate) file_system: String,
    /// How long the storm took.
    pub(crate) seconds: f64,
    /// Processes that ended, a second.
    pub(crate) exits_per_second: f64,
    /// Events in the store.
    pub(crate) events: u64,
    /// CPU seconds of the recorder for a million events in the store, to its
    /// end: it stores what waits, and empties the log.
    pub(crate) cpu_seconds_per_million: f64,
    /// CPU time of the recorder while the storm lasted, in percent of one
    /// processor.
    #[serde(default)]
    pub(crate) cpu_percent: Option<f64>,
    /// The most memory of the recorder.
    pub(crate) peak_rss_bytes: u64,
    /// Bytes of the store for an event, processes and names included.
    pub(crate) store_bytes_per_event: f64,
    /// What the store has, against the truth.
    pub(crate) tallies: Vec<Tally>,
    /// The worst of the tallies.
    pub(crate) verdict: Option<Verdict>,
}

/// Programs started by all processors.
pub(super) fn programs(ground: Ground<'_>) -> anyhow::Result<Record> {
    let jobs = ground.cpus.all.len().to_string();
    let count = if ground.quick { "5000" } else { "50000" };
    let words = ["spawn-storm", "--self-exit", "--clear-env", "--jobs", &jobs, "--count", count];
    measure(ground, &words, &ground.cpus.all)
}

/// Processes that only end, at a pace that starting programs never reaches. One
/// processor is enough for it, and the recorder has the others.
pub(super) fn exits(ground: Ground<'_>) -> anyhow::Result<Record> {
    let count = (EXITS_A_SECOND * if ground.quick { 1 } else { 5 }).to_string();
    let rate = EXITS_A_SECOND.to_string();
    let words = ["exit-storm", "--count", &count, "--rate", &rate];
    let record = measure(ground, &words, &ground.cpus.work)?;
    // Here it must keep up: an owned loss is one, too.
    let verdict = record.verdict.map(|verdict| match verdict {
        Verdict::LossTold => Verdict::Wrong,
        other => other,
    });
    Ok(Record { verdict, ..record })
}

/// A recorder that nobody asks anything.
pub(super) fn recording(ground: Ground<'_>, store: &Path) -> Command {
    let mut command = Command::new(ground.tracer);
    command.args(["record", "--no-socket", "--probe-mode", ground.mode, "--store"]).arg(store);
    command.stdout(Stdio::null());
    command
}

fn measure(ground: Ground<'_>, words: &[&str], cpus: &[usize]) -> anyhow::Result<Record> {
    let file_system = file_system_of(ground.disk)?;
    let place = Place::under(ground.disk)?;
    let store = place.path("store.db");
    let words: Vec<_> = words.iter().map(OsString::from).collect();
    let held = Held::start(ground.workload, &words, cpus)?;

    let (mut recorder, talk) = attached(&mut recording(ground, &store))?;
    let cpu_before = cpu_time(recorder.tgid())?;
    let started = Instant::now();
    let truth = held.release()?.finish()?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu_meanwhile = cpu_time(recorder.tgid())?.saturating_sub(cpu_before).as_secs_f64();
    recorder.signal(Signal::TERM)?;
    let ended = recorder.wait(&Deadline::after(PATIENCE))?;
    drop(talk);

    let told = told(&store, truth.tgid()?)?;
    let tallies = tallies(&told, Aim::Workload, &truth);
    let events = told.events.max(1) as f64;
    let cpu = ended.cpu.saturating_sub(cpu_before).as_secs_f64();
    let bytes = fs::metadata(&store).context("look at the store")?.len();
    Ok(Record {
        file_system,
        seconds,
        exits_per_second: truth.number("spawned").or_else(|_| truth.number("exits"))? as f64
            / seconds,
        events: told.events,
        cpu_seconds_per_million: cpu * 1e6 / events,
        cpu_percent: Some(cpu_meanwhile / seconds * 100.0),
        peak_rss_bytes: ended.peak_rss_bytes,
        store_bytes_per_event: bytes as f64 / events,
        verdict: worst(tallies.iter().map(Tally::verdict)),
        tallies,
    })
}

/// What a store has of one workload's children, and what it says it has not.
fn told(store: &Path, workload: u64) -> anyhow::Result<Told> {
    let reader = Reader::open(StorePlace::new(store))?;
    let mut told = Told::default();
    reader.events(&EventQuery::all(TimeRange::ALL), &mut |event| {
        if !matches!(event.payload, Payload::Lost(_)) {
            told.events += 1;
        }
        let ppid = event.process.as_ref().and_then(|process| process.ppid);
        if ppid.is_some_and(|ppid| u64::from(ppid) == workload) {
            *told.children.entry(event.kind().name().to_owned()).or_default() += 1;
        }
        ControlFlow::Continue(())
    })?;
    for gap in reader.gaps(TimeRange::ALL)? {
        if matches!(gap.reason, GapReason::Lost | GapReason::NotStored) {
            for (kind, count) in gap.missing.unwrap_or_default() {
                *told.lost.entry(kind).or_default() += count;
            }
        }
    }
    Ok(told)
}
