//! A recording, passed on as a run passes on what comes out of the kernel.

use std::io;

use anyhow::{Context as _, anyhow};
use genome_trace::detect;
use genome_trace::model::{Event, Payload};
use genome_trace::persona::Rules;
use genome_trace::pipeline::{Attribution, Filter, Replay};
use genome_trace::sink::Sink;
use genome_trace::wire::recording::Recording;

/// Events of a second.
const SECOND: usize = 100_000;

/// A recording that was read.
pub(super) struct Stream<'a> {
    recording: Recording<'a>,
    events: u64,
}

/// Events of the workloads' children and workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Children {
    pub(super) forks: u64,
    pub(super) execs: u64,
    pub(super) exits: u64,
    /// Files created.
    pub(super) creates: u64,
    /// Calls that unlinked files.
    pub(super) unlinks: u64,
}

impl<'a> Stream<'a> {
    /// Reads a whole recording.
    pub(super) fn parse(bytes: &'a [u8]) -> anyhow::Result<Self> {
        let recording = Recording::parse(bytes).context("read the recording")?;
        let mut stream = Self { recording, events: 0 };
        stream.events = stream.pass(Each(|_: &Event<'_>| Ok(())), None)?;
        Ok(stream)
    }

    /// Events in it.
    pub(super) const fn events(&self) -> u64 {
        self.events
    }

    /// Passes all of it on; how many events that were.
    pub(super) fn pass(
        &self,
        sink: impl Sink,
        detectors: Option<detect::Detectors>,
    ) -> anyhow::Result<u64> {
        let attribution = Attribution::of_recording(Rules::new(Vec::new()));
        let mut replay = Replay::new(attribution, Filter::default(), sink);
        if let Some(detectors) = detectors {
            replay = replay.with_detectors(detectors);
        }
        let failed = |failure| anyhow!("pass a recording on: {failure:?}");
        for second in self.recording.items.chunks(SECOND) {
            for item in second {
                replay.pass(item, &self.recording.context).map_err(failed)?;
            }
            // What a run does when it has taken the counts.
            replay.flush().map_err(failed)?;
        }
        Ok(replay.events())
    }

    /// What the children of `parents` and the `workers` did.
    pub(super) fn children(&self, parents: &[u64], workers: &[u64]) -> anyhow::Result<Children> {
        let mut found = Children::default();
        let count = Each(|event: &Event<'_>| {
            let Some(process) = &event.process else { return Ok(()) };
            let is_child = process.ppid.is_some_and(|ppid| parents.contains(&ppid.into()));
            let is_worker = workers.contains(&process.key.tgid.into());
            match &event.payload {
                Payload::Fork if is_child => found.forks += 1,
                Payload::Exec(_) if is_child => found.execs += 1,
                Payload::Exit(_) if is_child => found.exits += 1,
                Payload::FileCreate(_) if is_worker => found.creates += 1,
                Payload::FileUnlink(unlink) if is_worker => found.unlinks += unlink.unlink_calls,
                _ => {}
            }
            Ok(())
        });
        self.pass(count, None)?;
        Ok(found)
    }
}

/// Does something with each event.
pub(super) struct Each<F>(pub(super) F);

impl<F: FnMut(&Event<'_>) -> io::Result<()>> Sink for Each<F> {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        (self.0)(event)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
