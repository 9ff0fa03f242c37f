//! What looks at all processes once a second cost, beside a script that asks
//! psutil for the same: both at once, for the same processes.
//!
//! A recorder hears of everything that happens on the machine, which costs more
//! than looks where others work. So there is another one, which hears of the
//! same and takes no looks, and the difference between the two is what the
//! looks cost. All have settled before the first window begins, and no window
//! begins or ends while somebody looks.

pub(super) mod crowd;
mod kept;
mod script;
mod windows;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use genome_trace::model::{TimeRange, WallTime};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::Ground;
use super::idle::attached;
use super::record::recording;
use crate::account::{Tally, Verdict};
use crate::child::Running;
use crate::clock::monotonic_ns;
use crate::deadline::Deadline;
use crate::machine::Place;
use crate::stats::Spread;
use script::{Python, Script};
use windows::{Account, Edge};

/// Both look once in this time.
const PERIOD: Duration = Duration::from_secs(1);
/// When the script looks, after the recorder.
const SCRIPT_AFTER: Duration = Duration::from_millis(500);
/// When windows begin and end, after the recorder has looked. By then both are
/// done: the store is written 0.2 s after a look.
const EDGE_AFTER: Duration = Duration::from_millis(850);
/// Periods in a window.
const PERIODS: u32 = 5;
/// A tracer that has not ended by then never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// What looks cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Samples {
    /// Quiet processes.
    pub(crate) processes: u32,
    /// Personas that they are of.
    pub(crate) personas: u32,
    /// Windows.
    pub(crate) windows: u32,
    /// The length of each.
    pub(crate) seconds: f64,
    /// CPU time of the looks, and of storing what they saw, window by window,
    /// in percent of one processor: what the recorder that takes them used more
    /// than the one that takes none.
    pub(crate) cpu_percent: Spread,
    /// All that the recorder used that takes looks.
    pub(crate) cpu_percent_recorder: Spread,
    /// Events that the recorder stored besides, a second.
    pub(crate) events_per_second: f64,
    /// Looks of the recorder in the windows.
    pub(crate) looks: u64,
    /// What they saw of the processes, against how many there were.
    pub(crate) tally: Tally,
    /// What that comes to.
    pub(crate) verdict: Verdict,
    /// The script; `None` where it was not wanted, or there is no psutil.
    pub(crate) psutil: Option<Psutil>,
}

/// What the same costs with psutil.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Psutil {
    /// Python's version, and psutil's.
    pub(crate) version: String,
    /// CPU time of the script in the same windows, in percent of one processor.
    pub(crate) cpu_percent: Spread,
    /// The same in one window in which nobody traced.
    pub(crate) cpu_percent_alone: f64,
    /// Looks of the script in the windows.
    pub(crate) looks: u64,
    /// What they saw of the processes, against how many there were.
    pub(crate) tally: Tally,
    /// The script's CPU time over that of the looks, window by window. Where it
    /// used more than alone, what it used alone: the rest is what our probes
    /// cost it.
    pub(crate) ratio: Spread,
    /// The same over all that the recorder used.
    pub(crate) ratio_recorder: Spread,
}

pub(super) fn measure(ground: Ground<'_>) -> anyhow::Result<Samples> {
    let windows = if ground.quick { 3 } else { 12 };
    let crowd = crowd::start()?;
    let python = if ground.peers { Python::find() } else { None };
    let alone = python.as_ref().map(script_alone).transpose()?;

    let place = Place::under(ground.disk)?;
    let store = place.path("store.db");
    // The first of the two to be woken finds the event in no cache: what that
    // costs counts for the looks.
    let (mut recorder, talk) = attached(&mut recording(ground, &store))?;
    let looked = now();
    let mut blind = recording(ground, &place.path("blind.db"));
    let (mut blind, blinds_talk) = attached(blind.arg("--no-looks"))?;
    let script =
        python.as_ref().map(|python| Script::start(python, looked + SCRIPT_AFTER)).transpose()?;
    let (mut ours, mut without, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..=windows {
        wait(&recorder, next_edge(looked + EDGE_AFTER, ours.last()))?;
        ours.push(Edge::of(recorder.tgid())?);
        without.push(Edge::of(blind.tgid())?);
        if let Some(script) = &script {
            theirs.push(Edge::of(script.tgid())?);
        }
    }
    let ahead_ns = wall_clock_ahead_ns()?;
    let script_looks = script.map(Script::end).transpose()?;
    for recorder in [&mut recorder, &mut blind] {
        recorder.signal(Signal::TERM)?;
        recorder.wait(&Deadline::after(PATIENCE))?;
    }
    drop((talk, blinds_talk, crowd));

    let events = kept::events(&store, range(&ours, ahead_ns))?;
    let kept = kept::looks(&store, ahead_ns)?;
    let ours = Account::of("genome-trace", &ours, &kept)?;
    let of_looks = ours.less(&Account::of("genome-trace", &without, &kept)?)?;
    let psutil = match (python, alone, script_looks) {
        (Some(python), Some(cpu_percent_alone), Some(looks)) => {
            let theirs = Account::of("the script", &theirs, &looks)?;
            Some(Psutil {
                version: python.version,
                cpu_percent: theirs.spread()?,
                cpu_percent_alone,
                looks: theirs.looks,
                ratio: theirs.at_most(cpu_percent_alone).over(&of_looks)?,
                ratio_recorder: theirs.at_most(cpu_percent_alone).over(&ours)?,
                tally: theirs.tally,
            })
        }
        _ => None,
    };
    Ok(Samples {
        processes: crowd::PROCESSES,
        personas: crowd::PERSONAS,
        windows,
        seconds: (PERIOD * PERIODS).as_secs_f64(),
        cpu_percent: of_looks.spread()?,
        cpu_percent_recorder: ours.spread()?,
        events_per_second: events as f64 / (PERIOD * PERIODS * windows).as_secs_f64(),
        looks: ours.looks,
        verdict: ours.tally.verdict(),
        tally: ours.tally,
        psutil,
    })
}

/// The script's CPU time while nobody traces what it does, in percent.
fn script_alone(python: &Python) -> anyhow::Result<f64> {
    let begin = now();
    let script = Script::start(python, begin)?;
    let mut edges = Vec::new();
    for _ in 0..2 {
        wait(&script.process, next_edge(begin + SCRIPT_AFTER, edges.last()))?;
        edges.push(Edge::of(script.tgid())?);
    }
    let account = Account::of("the script", &edges, &script.end()?)?;
    Ok(account.spread()?.median)
}

/// `CLOCK_MONOTONIC`.
fn now() -> Duration {
    Duration::from_nanos(monotonic_ns())
}

/// The next moment that is whole periods after `first`; a window after `last`.
fn next_edge(first: Duration, last: Option<&Edge>) -> Duration {
    let after_last = |last: &Edge| Duration::from_nanos(last.at_ns) + PERIOD * PERIODS - PERIOD / 2;
    let earliest = last.map_or(Duration::ZERO, after_last).max(now());
    let periods = earliest.saturating_sub(first).as_nanos().div_ceil(PERIOD.as_nanos());
    first + PERIOD * u32::try_from(periods).unwrap_or(u32::MAX)
}

/// Waits until then, and sees to it that the process is still there.
fn wait(process: &Running, until: Duration) -> anyhow::Result<()> {
    let ended = process.ends_within(until.saturating_sub(now()))?;
    ensure!(!ended, "{} ended while it looked", process.name());
    Ok(())
}

/// What the wall clock is ahead of `CLOCK_MONOTONIC`.
fn wall_clock_ahead_ns() -> anyhow::Result<i64> {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    i64::try_from(unix.saturating_sub(now()).as_nanos()).context("the clock is after 2262")
}

/// From the first edge to the last by the wall clock.
fn range(edges: &[Edge], ahead_ns: i64) -> TimeRange {
    let at = |edge: Option<&Edge>| WallTime {
        unix_ns: edge.map_or(0, |edge| edge.at_ns.cast_signed()).saturating_add(ahead_ns),
    };
    TimeRange { from: at(edges.first()), until: at(edges.last()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_whole_periods_apart_however_late_one_was() {
        let first = now();
        let late = Edge { at_ns: (first + PERIOD * 2 + PERIOD / 3).as_nanos() as u64, cpu: PERIOD };
        assert_eq!(next_edge(first, Some(&late)), first + PERIOD * (2 + PERIODS));
    }
}
