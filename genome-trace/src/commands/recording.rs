//! A trace's store: opened, given to the pipeline, told of, closed.

use std::{cell::RefCell, collections::BTreeMap, path::Path, rc::Rc, sync::Arc};

use anyhow::Context as _;

use super::exposition::{Counted, SharedCount};
use crate::{
    detect::{CrashPolicy, CrashWatch},
    kernel::{machine, process},
    model::WallTime,
    pipeline::Keep,
    source::StderrTails,
    store::{
        ItemKind, Place, Retention, Store, StoreError, StoreState, StoreStatus, Writer,
        WriterOptions,
    },
    symbolize::Symbolizer,
};

/// A store that is written by this run.
pub(super) struct Recording {
    writer: Arc<Writer>,
    /// Shared with the pipeline, which is of this thread, too: so another policy
    /// needs no way of its own there, and counts from the next event on.
    crashes: Rc<RefCell<CrashWatch>>,
    told: Told,
}

impl Recording {
    /// Opens the store. That nothing can be written to it yet is no error.
    pub(super) fn open(
        path: &Path,
        group: Option<u32>,
        retention: Retention,
        policy: CrashPolicy,
    ) -> Result<Self, StoreError> {
        let options = WriterOptions { group, retention, ..WriterOptions::new(machine::boot_id()) };
        let writer = Arc::new(Writer::open(Place::new(path), options)?);
        let crashes = Rc::new(RefCell::new(CrashWatch::new(policy)));
        Ok(Self { writer, crashes, told: Told::default() })
    }

    /// The pipeline's end of it; what it hears is counted in `count`.
    pub(super) fn keep(
        &self,
        stderr: Option<StderrTails>,
        count: Option<SharedCount>,
    ) -> anyhow::Result<Keep> {
        let crashes = Rc::clone(&self.crashes);
        let symbolizer = Symbolizer::start(process::is_there)
            .context("cannot start the thread that names the functions of a crash")?;
        let mut store = Arc::clone(&self.writer) as Arc<dyn Store>;
        if let Some(count) = &count {
            store = Arc::new(Counted { store, count: count.clone() });
        }
        Ok(Keep::new(
            store,
            Box::new(move |event| {
                if let Some(count) = &count {
                    count.hear(event);
                }
                crashes.borrow_mut().hear(event)
            }),
            stderr,
            Some(symbolizer),
        ))
    }

    /// Where others put what they have, too; to be dropped before it is closed.
    pub(super) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.writer) as Arc<dyn Store>
    }

    /// Where it is.
    pub(super) fn file(&self) -> &Path {
        self.writer.place().file()
    }

    pub(super) fn set_retention(&self, retention: Retention) {
        self.writer.set_retention(retention);
    }

    /// Which exit codes are ordinary ends from now on.
    pub(super) fn set_crash_policy(&self, policy: CrashPolicy) {
        self.crashes.borrow_mut().set_policy(policy);
    }

    /// Why nothing is stored now.
    pub(super) fn failure(&self) -> Option<String> {
        match self.writer.status().state {
            StoreState::Storing => None,
            StoreState::Failing { reason, .. } => Some(reason),
        }
    }

    /// Tells on stderr what has changed since the last time; whether anything
    /// has.
    pub(super) fn tell(&mut self) -> bool {
        let lines = self.told.news(&self.writer.status());
        for line in &lines {
            eprintln!("genome-trace: {line}");
        }
        !lines.is_empty()
    }

    /// How it stands.
    pub(super) fn status(&self) -> StoreStatus {
        self.writer.status()
    }

    /// The same, in one line.
    pub(super) fn account(&self) -> String {
        let status = self.writer.status();
        let account = stored(&status);
        match &status.state {
            StoreState::Storing => account,
            StoreState::Failing { reason, .. } => format!("{account}; nothing is stored: {reason}"),
        }
    }

    /// Stores what waits, and says what was stored and what was not. To be
    /// called when the pipeline is gone.
    pub(super) fn close(self) -> anyhow::Result<()> {
        let path = self.file().to_owned();
        let (closed, status) = self.end();
        eprintln!("genome-trace: {} in {}", stored(&status), path.display());
        closed.map_err(Into::into)
    }

    /// The same, without a line of its own where all was stored.
    pub(super) fn close_quietly(self) -> anyhow::Result<()> {
        let (closed, _) = self.end();
        closed.map_err(Into::into)
    }

    fn end(self) -> (Result<(), StoreError>, StoreStatus) {
        let Self { writer, mut told, .. } = self;
        let (closed, status) = match Arc::into_inner(writer) {
            Some(mut writer) => (writer.finish(), writer.status()),
            None => (Ok(()), StoreStatus::default()),
        };
        for line in told.news(&status) {
            eprintln!("genome-trace: {line}");
        }
        (closed, status)
    }
}

/// As in `1200 items stored, 3 not (exit 3)`.
fn stored(status: &StoreStatus) -> String {
    let StoreStatus { stored, unstored, .. } = status;
    let plural = if *stored == 1 { "" } else { "s" };
    let missing: u64 = unstored.values().sum();
    let mut text = format!("{stored} item{plural} stored, {missing} not");
    if missing > 0 {
        text.push_str(&format!(" ({})", by_kind(unstored)));
    }
    text
}

fn by_kind(unstored: &BTreeMap<ItemKind, u64>) -> String {
    let counts: Vec<_> =
        unstored.iter().map(|(kind, count)| format!("{} {count}", kind.name())).collect();
    counts.join(", ")
}

/// What was told of a store, so that it is told once.
#[derive(Debug, Default)]
struct Told {
    /// Since when it fails, and why.
    failing: Option<(WallTime, String)>,
    set_aside: usize,
    unstored: u64,
}

impl Told {
    fn news(&mut self, status: &StoreStatus) -> Vec<String> {
        let mut lines = Vec::new();
        for path in status.set_aside.iter().skip(self.set_aside) {
            lines.push(format!(
                "the store was damaged; it was set aside as {}, and a new one was begun",
                path.display()
            ));
        }
        self.set_aside = status.set_aside.len();
        let unstored: u64 = status.unstored.values().sum();
        match &status.state {
            StoreState::Failing { since, reason } => {
                let failing = Some((*since, reason.clone()));
                if self.failing != failing {
                    lines.push(format!("nothing is stored: {reason}; tracing goes on"));
                    self.failing = failing;
                }
            }
            StoreState::Storing => {
                if self.failing.take().is_some() {
                    let missing = unstored.saturating_sub(self.unstored);
                    lines.push(format!(
                        "events are stored again; meanwhile {missing} could not be stored"
                    ));
                    self.unstored = unstored;
                // Each line stands for as many as all lines before it, so that
                // a store that is too slow for good does not fill a log.
                } else if unstored > 0 && unstored >= self.unstored.saturating_mul(2) {
                    lines.push(format!(
                        "the store is too slow: {unstored} could not be stored so far ({})",
                        by_kind(&status.unstored)
                    ));
                    self.unstored = unstored;
                }
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storing(unstored: u64) -> StoreStatus {
        let unstored =
            if unstored > 0 { [(ItemKind::Process, unstored)].into() } else { [].into() };
        StoreStatus { unstored, ..StoreStatus::default() }
    }

    fn failing(since: i64, reason: &str, unstored: u64) -> StoreStatus {
        let since = WallTime { unix_ns: since };
        let state = StoreState::Failing { since, reason: reason.to_owned() };
        StoreStatus { state, ..storing(unstored) }
    }

    #[test]
    fn a_failure_is_told_once_and_its_end_with_what_is_missing() {
        let mut told = Told::default();
        assert!(told.news(&storing(0)).is_empty());
        let lines = told.news(&failing(1, "no room", 0));
        assert_eq!(lines, ["nothing is stored: no room; tracing goes on"]);
        assert!(told.news(&failing(1, "no room", 7)).is_empty());
        assert_eq!(told.news(&failing(1, "no folder", 7)).len(), 1);
        let lines = told.news(&storing(9));
        assert_eq!(lines, ["events are stored again; meanwhile 9 could not be stored"]);
        assert!(told.news(&storing(9)).is_empty());
        assert_eq!(told.news(&failing(2, "no folder", 9)).len(), 1);
    }

    #[test]
    fn an_overload_is_told_more_seldom_the_longer_it_lasts() {
        let mut told = Told::default();
        let lines = (1..=1000).filter(|unstored| !told.news(&storing(*unstored)).is_empty());
        assert_eq!(lines.count(), 10);
    }

    #[test]
    fn each_store_that_is_set_aside_is_told() {
        let mut told = Told::default();
        let aside = |names: &[&str]| StoreStatus {
            set_aside: names.iter().map(Into::into).collect(),
            ..StoreStatus::default()
        };
        assert!(told.news(&aside(&["a"])).iter().any(|line| line.contains("aside as a,")));
        assert_eq!(told.news(&aside(&["a", "b"])).len(), 1);
        assert!(told.news(&aside(&["a", "b"])).is_empty());
    }

    #[test]
    fn the_account() {
        assert_eq!(stored(&StoreStatus { stored: 1, ..storing(0) }), "1 item stored, 0 not");
        assert_eq!(
            stored(&StoreStatus { stored: 5, ..storing(2) }),
            "5 items stored, 2 not (process 2)"
        );
    }
}
