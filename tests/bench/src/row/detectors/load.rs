//! What personas and others do, recorded as it comes out of the kernel: files
//! that come and go, files that stay, programs that are started, processes that
//! end.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::Signal;

use super::super::Ground;
use super::super::idle::attached;
use super::super::samples::crowd::{PERSONAS, name};
use super::stream::{Children, Stream};
use crate::account::Tally;
use crate::deadline::Deadline;
use crate::machine::Place;
use crate::subject::genome_trace::follow;
use crate::subject::json_lines::Told;
use crate::workload::{Held, Truth, Working};

/// A tracer that has not ended by then never will.
const PATIENCE: Duration = Duration::from_secs(120);
/// Files a second that come and go, of each persona and of somebody who is
/// nobody's: three events each.
const CHURNED: u64 = 1400;
/// Files a second that stay, of one persona.
const KEPT: u64 = 1000;
/// Programs that one persona starts, for each second.
const STARTED: u64 = 300;
/// Processes a second that end, and are nobody's.
const ENDED: u64 = 3000;

/// What was recorded.
pub(super) struct Loaded {
    /// The recording.
    pub(super) recording: Vec<u8>,
    /// How long the work took.
    pub(super) seconds: f64,
    truths: Vec<Truth>,
    /// What was lost on the way.
    told: Told,
}

/// Lets all of it happen for so many seconds under a tracer.
pub(super) fn record(ground: Ground<'_>, seconds: u64) -> anyhow::Result<Loaded> {
    // In memory: a disk would hold the work back.
    let place = Place::under(&ground.scratch.path(""))?;
    let (file, lost) = (place.path("recording.gtr"), place.path("lost"));
    let stdout = fs::File::create(&lost).with_context(|| format!("create {}", lost.display()))?;
    let mut tracer = follow(ground.tracer, ground.mode);
    tracer.arg("--record-raw").arg(&file);
    // Nobody has that name: what is left is what was lost.
    tracer.args(["--comm", "/"]).stdout(stdout).stdin(Stdio::null());
    let (mut tracer, talk) = attached(&mut tracer)?;
    // After that: whose a process is is told when it runs its program.
    let held = start(ground, &place, seconds)?;
    let started = Instant::now();
    let working = held.into_iter().map(Held::release).collect::<anyhow::Result<Vec<_>>>()?;
    let truths = working.into_iter().map(Working::finish).collect::<anyhow::Result<Vec<_>>>()?;
    let took = started.elapsed().as_secs_f64();
    tracer.signal(Signal::INT)?;
    tracer.wait(&Deadline::after(PATIENCE))?;
    drop(talk);
    let recording = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
    Ok(Loaded { recording, seconds: took, truths, told: Told::read(&lost, 0, &[])? })
}

fn start(ground: Ground<'_>, place: &Place, seconds: u64) -> anyhow::Result<Vec<Held>> {
    let held = |persona: Option<u32>, words: Vec<OsString>| {
        let persona = persona.map(name);
        Held::start_as(ground.workload, &words, &ground.cpus.all, persona.as_deref())
    };
    let mut all = Vec::new();
    for persona in (0..PERSONAS).map(Some).chain([None]) {
        let folder = persona.map_or("nobodys".to_owned(), |persona| format!("churn-{persona}"));
        let mut churn = words(
            &["churn", "--names", "--bytes=100"],
            &[("count", CHURNED * seconds), ("rate", CHURNED)],
        );
        churn.extend(in_folder(&place.path(&folder)));
        all.push(held(persona, churn)?);
    }
    let mut kept = words(&["json-loop", "--keep"], &[("count", KEPT * seconds)]);
    kept.extend(in_folder(&place.path("kept")));
    all.push(held(Some(0), kept)?);
    let started = words(&["spawn-storm", "--self-exit"], &[("count", STARTED * seconds)]);
    all.push(held(Some(1), started)?);
    let ended = words(&["exit-storm"], &[("count", ENDED * seconds), ("rate", ENDED)]);
    all.push(held(None, ended)?);
    Ok(all)
}

fn words(words: &[&str], numbers: &[(&str, u64)]) -> Vec<OsString> {
    let numbers = numbers.iter().map(|(name, number)| format!("--{name}={number}").into());
    words.iter().map(OsString::from).chain(numbers).collect()
}

fn in_folder(folder: &Path) -> [OsString; 2] {
    ["--dir".into(), PathBuf::from(folder).into_os_string()]
}

impl Loaded {
    /// What the recording has, against what was done.
    pub(super) fn tallies(&self, stream: &Stream<'_>) -> anyhow::Result<Vec<Tally>> {
        let number = |truth: &Truth, name: &str| truth.number(name).unwrap_or(0);
        let sum = |name: &str| self.truths.iter().map(|truth| number(truth, name)).sum::<u64>();
        let parents = self.truths.iter().map(Truth::tgid).collect::<anyhow::Result<Vec<_>>>()?;
        let workers: Vec<_> = self.truths.iter().flat_map(Truth::workers).collect();
        let Children { forks, execs, exits, creates, unlinks } =
            stream.children(&parents, &workers)?;
        let (started, ended) = (sum("spawned"), sum("exits"));
        // Those that work on files are children, too.
        let forked = started + ended + workers.len() as u64;
        Ok([
            ("fork", forked, forks),
            ("exec", started, execs),
            ("exit", forked, exits),
            ("file_create", sum("files_created"), creates),
            ("file_unlink", sum("unlink_calls"), unlinks),
        ]
        .map(|(kind, truth, seen)| Tally {
            kind: kind.to_owned(),
            truth,
            seen,
            told_lost: self.told.lost(kind),
        })
        .into())
    }
}
