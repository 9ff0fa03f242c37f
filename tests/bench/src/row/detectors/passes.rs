//! The same events passed on in three ways, in turns: what the one takes more
//! than the other is what it does more.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use genome_trace::detect::{Baselines, CrashPolicy, CrashWatch, DetectPolicy, Detectors};
use genome_trace::model::{Event, Payload, Rule};
use genome_trace::store::{
    Item, Place as StorePlace, Retention, Store as _, Writer, WriterOptions,
};

use super::stream::{Each, Stream};
use crate::clock::cpu_time;
use crate::machine::Place;

/// What may wait to be stored: what comes in a fifth of a second, after which a
/// recorder writes, at 100,000 events a second.
const PART: u64 = 20_000;
const PATIENCE: Duration = Duration::from_secs(120);

/// CPU time of this process for all events, in each way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Round {
    /// Decoded and attributed.
    pub(super) bare: Duration,
    /// The same, and heard by detectors.
    pub(super) detecting: Duration,
    /// Decoded, attributed, judged as ends, and stored.
    pub(super) storing: Duration,
}

/// All rounds.
pub(super) struct Rounds {
    pub(super) rounds: Vec<Round>,
    /// Personas of which an alert was raised that files come and go.
    pub(super) alerted: u64,
}

/// Passes the stream on so often. What goes first changes from round to round.
pub(super) fn measure(stream: &Stream<'_>, disk: &Path, rounds: u32) -> anyhow::Result<Rounds> {
    let first = alerts(stream)?;
    let mut all = Vec::new();
    for number in 0..rounds {
        let mut round = Round::default();
        for way in 0..3 {
            match (number + way) % 3 {
                0 => round.bare = cpu_of(|| stream.pass(nowhere(), None).map(drop))?,
                1 => {
                    let detectors = detectors();
                    let pass = || stream.pass(nowhere(), Some(detectors)).map(drop);
                    round.detecting = cpu_of(pass)?;
                }
                _ => round.storing = storing(stream, disk)?,
            }
        }
        all.push(round);
    }
    ensure!(alerts(stream)? == first, "the same events raised other alerts: {first:?}");
    let churn =
        first.iter().filter(|(rule, persona)| *rule == Rule::FileChurn && persona.is_some());
    Ok(Rounds { rounds: all, alerted: churn.count() as u64 })
}

fn detectors() -> Detectors {
    Detectors::new(&DetectPolicy::default(), Baselines::default())
}

fn nowhere() -> impl genome_trace::sink::Sink {
    Each(|event: &Event<'_>| {
        black_box(event);
        Ok(())
    })
}

/// CPU time of this process, its threads included, until that is done.
fn cpu_of(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let before = cpu_time(std::process::id())?;
    work()?;
    Ok(cpu_time(std::process::id())?.saturating_sub(before))
}

/// Which alerts come of it, of whom.
fn alerts(stream: &Stream<'_>) -> anyhow::Result<BTreeSet<(Rule, Option<String>)>> {
    let mut found = BTreeSet::new();
    let note = Each(|event: &Event<'_>| {
        if let Payload::Alert(alert) = &event.payload {
            let persona = alert.anomaly.persona.as_ref().map(|persona| persona.name.clone());
            found.insert((alert.anomaly.rule, persona));
        }
        Ok(())
    });
    stream.pass(note, Some(detectors()))?;
    Ok(found)
}

/// Into a store of its own, to its end: what waits is stored, and its log is
/// emptied.
fn storing(stream: &Stream<'_>, disk: &Path) -> anyhow::Result<Duration> {
    let place = Place::under(disk)?;
    let options = WriterOptions {
        retention: Retention { size_bytes: None, ..Retention::default() },
        ..WriterOptions::new("benchmark")
    };
    let writer = Writer::open(StorePlace::new(&place.path("store.db")), options)?;
    let mut watch = CrashWatch::new(CrashPolicy::default());
    let mut waiting = 0;
    cpu_of(|| {
        let keep = Each(|event: &Event<'_>| {
            writer.push(Item::event(event));
            black_box(watch.hear(event));
            waiting += 1;
            if waiting % PART == 0 {
                writer.flush(PATIENCE).map_err(io::Error::other)?;
            }
            Ok(())
        });
        stream.pass(keep, None)?;
        writer.flush(PATIENCE)?;
        let unstored: u64 = writer.status().unstored.values().sum();
        ensure!(unstored == 0, "{unstored} of {waiting} events were not stored");
        Ok(writer.close()?)
    })
}
