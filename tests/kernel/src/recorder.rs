//! What a recorder leaves: its store, read as anybody reads it, and its last
//! words.

use std::path::Path;
use std::process::ExitStatus;

use anyhow::{Context as _, ensure};
use genome_trace::model::TimeRange;
use genome_trace::sink::{JsonLines, Sink as _};
use genome_trace::store::{EventQuery, History as _, Place, Reader};
use rustix::process::Signal;

use crate::{Attached, Events, LossLine, Trace};

/// An attached recorder.
pub struct Recorder(pub Attached);

/// What it said and stored, after a good end.
pub struct Recorded {
    /// The events in its store, and its loss line.
    pub trace: Trace,
    /// Items that it says it stored.
    pub stored: u64,
    /// Items that it says it could not store.
    pub not_stored: u64,
    /// All that it said since it had attached.
    pub said: Vec<String>,
}

impl Recorder {
    /// SIGTERM, and what there is then.
    pub fn stop(self, store: &Path) -> anyhow::Result<Recorded> {
        self.0.signal(Signal::TERM)?;
        let (status, said) = self.0.wait()?;
        Recorded::new(status, said, store)
    }
}

impl Recorded {
    fn new(status: ExitStatus, said: Vec<String>, store: &Path) -> anyhow::Result<Self> {
        ensure!(status.success(), "the recorder ended with {status}:\n{}", said.join("\n"));
        let loss = said.iter().find_map(|line| LossLine::parse(line));
        let loss = loss.with_context(|| format!("no loss line: {said:?}"))?;
        let (stored, not_stored) = said
            .last()
            .and_then(|line| account(line))
            .with_context(|| format!("the last line does not say what was stored: {said:?}"))?;
        Ok(Self { trace: Trace { events: read_store(store)?, loss }, stored, not_stored, said })
    }
}

/// `genome-trace: 124 items stored, 0 not in /var/…`.
fn account(line: &str) -> Option<(u64, u64)> {
    let (stored, rest) = line.strip_prefix("genome-trace: ")?.split_once(" item")?;
    let (_, rest) = rest.split_once(" stored, ")?;
    let (not_stored, _) = rest.split_once(" not")?;
    Some((stored.parse().ok()?, not_stored.parse().ok()?))
}

/// The events of a store, in the form in which `--follow` tells them.
pub fn read_store(store: &Path) -> anyhow::Result<Events> {
    let reader = Reader::open(Place::new(store))?;
    let mut lines = Vec::new();
    let mut sink = JsonLines::new(&mut lines, "host");
    let mut failed = Ok(());
    reader.events(&EventQuery::all(TimeRange::ALL), &mut |event| {
        failed = sink.event(event);
        match failed {
            Ok(()) => std::ops::ControlFlow::Continue(()),
            Err(_) => std::ops::ControlFlow::Break(()),
        }
    })?;
    failed.and_then(|()| sink.flush()).context("lay out events of the store")?;
    drop(sink);
    let text = String::from_utf8(lines).context("events of the store are no text")?;
    Events::parse(&text.lines().map(str::to_owned).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::account;

    #[test]
    fn the_last_line() {
        let line = "genome-trace: 124 items stored, 0 not in /tmp/a.db";
        assert_eq!(account(line), Some((124, 0)));
        let line = "genome-trace: 1 item stored, 3 not (exit 2, fork 1) in /tmp/a.db";
        assert_eq!(account(line), Some((1, 3)));
        assert_eq!(account("genome-trace: 9 events, 0 lost, busiest ring io at 1% of 4 MiB"), None);
    }
}
