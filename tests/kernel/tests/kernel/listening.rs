//! A recorder, and a reader of its alerts as they come.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::Context as _;
use genome_trace_tests_kernel::{Context, Event, Recorder, Started};
use rustix::time::{ClockId, clock_gettime};

/// What the tests' clock says, which is the workloads'.
fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let part = |part: i64| u64::try_from(part).unwrap_or(0);
    part(now.tv_sec) * 1_000_000_000 + part(now.tv_nsec)
}

/// A recorder, one that reads its alerts, and those that came.
pub(crate) struct Listening {
    recorder: Recorder,
    reader: Started,
    place: tempfile::TempDir,
    pub(crate) heard: Vec<(u64, Event)>,
}

impl Listening {
    /// Attached, the recorder with that configuration.
    pub(crate) fn begin(context: &Context, config: &str) -> anyhow::Result<Self> {
        let place = context.folder()?;
        let (socket, file) = (place.path().join("socket"), place.path().join("config.toml"));
        fs::write(&file, config).context("write a configuration")?;
        let recorder = context
            .recorder(&place.path().join("store"))
            .option("--config", file.display())
            .at_socket(&socket)
            .start_into(Stdio::null())
            .map(Recorder)?;
        let reader = context
            .program(&context.setup.tracer)
            .args(["--follow", "--format=json", "--kind=alert", "--socket"])
            .arg(&socket)
            .start()?;
        while !reader.next_complaint()?.contains("attached to the recorder") {}
        Ok(Self { recorder, reader, place, heard: Vec::new() })
    }

    /// Waits for an alert that `is_wanted`, be it one that has come already;
    /// with when it came.
    pub(crate) fn alert(
        &mut self,
        is_wanted: impl Fn(&Event) -> bool,
    ) -> anyhow::Result<(u64, Event)> {
        if let Some(heard) = self.heard.iter().find(|(_, event)| is_wanted(event)) {
            return Ok(heard.clone());
        }
        loop {
            let line = self.reader.next_line()?;
            let event = Event::parse(&line)?;
            let came_ns = now_ns();
            if event.kind() != "alert" {
                continue;
            }
            self.heard.push((came_ns, event.clone()));
            if is_wanted(&event) {
                return Ok((came_ns, event));
            }
        }
    }

    /// Where the recorder keeps what it has.
    pub(crate) fn store(&self) -> PathBuf {
        self.place.path().join("store")
    }

    /// Stops the recorder.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        let store = self.store();
        let Self { recorder, reader, place: _place, .. } = self;
        recorder.stop(&store)?;
        reader.finish()?;
        Ok(())
    }
}

/// It is a change of that rule and persona.
pub(crate) fn is_of(event: &Event, change: &str, rule: &str, persona: &str) -> bool {
    event.payload_text("change") == Some(change)
        && event.payload_text("rule") == Some(rule)
        && event.text("persona") == Some(persona)
}
