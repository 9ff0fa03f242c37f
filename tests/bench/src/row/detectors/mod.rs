//! What all detectors together cost a recorder at 100,000 events a second.
//!
//! A recorder's CPU time with detectors less another one's without would be the
//! difference of two figures that differ more by themselves. So real events are
//! recorded once, and the very same ones are passed on again and again: with
//! detectors, without, and into a store, in turns. What is not done by events
//! is measured by itself: looks, and files that are read.

mod load;
mod looks;
mod passes;
mod reads;
mod stream;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::Ground;
use super::samples::crowd::{PERSONAS, PROCESSES};
use crate::account::{Tally, Verdict, worst};
use crate::machine::file_system_of;
use crate::stats::Spread;

/// What `--only` calls it.
pub(crate) const NAME: &str = "detectors";

/// Events a second that it is reckoned for.
const RATE: f64 = 100_000.0;
/// Files that are read in a second, at most; the default of the configuration.
const READS: u32 = 200;

/// What the detectors cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Detectors {
    /// What the store is on.
    pub(crate) file_system: String,
    /// Events in the recording.
    pub(crate) events: u64,
    /// How many a second there were when it was made.
    pub(crate) recorded_per_second: f64,
    /// Personas that they are of.
    pub(crate) personas: u32,
    /// How often they were passed on in each way.
    pub(crate) rounds: u32,
    /// CPU time of detectors for an event.
    pub(crate) event_ns: Spread,
    /// CPU time of detectors for a look at the personas.
    pub(crate) look_us: Spread,
    /// Processes that a look sees.
    pub(crate) processes: u32,
    /// CPU time of reading the beginning of a file.
    pub(crate) read_us: Spread,
    /// CPU time of decoding and attributing an event and storing it, without
    /// detectors.
    pub(crate) pipeline_ns: Spread,
    /// All that detectors take, at 100,000 events, one look and 200 files read
    /// a second, in percent of one processor.
    pub(crate) cpu_percent: Spread,
    /// The same in percent of the pipeline's CPU time with detectors.
    pub(crate) share_percent: Spread,
    /// What was recorded, against the truth, and the personas whose alert was
    /// raised, against those that gave reason for one.
    pub(crate) tallies: Vec<Tally>,
    /// The worst of the tallies.
    pub(crate) verdict: Option<Verdict>,
}

/// Records a load, passes it on, and takes away what it made.
pub(crate) fn measure(ground: Ground<'_>) -> anyhow::Result<Detectors> {
    let (seconds, rounds) = if ground.quick { (3, 5) } else { (12, 11) };
    let loaded = load::record(ground, seconds)?;
    let stream = stream::Stream::parse(&loaded.recording)?;
    let mut tallies = loaded.tallies(&stream)?;
    let rounds_of = passes::measure(&stream, ground.disk, rounds)?;
    tallies.push(Tally {
        kind: "alert".to_owned(),
        truth: u64::from(PERSONAS),
        seen: rounds_of.alerted,
        told_lost: 0,
    });
    let (look_us, read_us) = (looks::measure()?, reads::measure(ground.disk)?);

    let (mut event_ns, mut pipeline_ns) = (Vec::new(), Vec::new());
    let (mut percents, mut shares) = (Vec::new(), Vec::new());
    let beside_ns = (look_us.median + read_us.median * f64::from(READS)) * 1e3;
    for round in &rounds_of.rounds {
        let each_ns = |cpu: std::time::Duration| cpu.as_secs_f64() * 1e9 / stream.events() as f64;
        let detectors = each_ns(round.detecting) - each_ns(round.bare);
        let pipeline = each_ns(round.storing);
        let second_ns = detectors * RATE + beside_ns;
        event_ns.push(detectors);
        pipeline_ns.push(pipeline);
        percents.push(second_ns / 1e9 * 100.0);
        shares.push(second_ns / (pipeline * RATE + second_ns) * 100.0);
    }
    let spread = |numbers: &[f64]| Spread::of(numbers).context("no round was made");
    Ok(Detectors {
        file_system: file_system_of(ground.disk)?,
        events: stream.events(),
        recorded_per_second: stream.events() as f64 / loaded.seconds,
        personas: PERSONAS,
        rounds,
        event_ns: spread(&event_ns)?,
        look_us,
        processes: PROCESSES,
        read_us,
        pipeline_ns: spread(&pipeline_ns)?,
        cpu_percent: spread(&percents)?,
        share_percent: spread(&shares)?,
        verdict: worst(tallies.iter().map(Tally::verdict)),
        tallies,
    })
}
