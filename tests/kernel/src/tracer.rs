//! The tracer as a process: started, attached, stopped, and what it said.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::process::Signal;

use crate::child::Running;
use crate::lines::Lines;
use crate::{Checks, Context, Deadline, Event, Events, LIFECYCLE, LossLine, Mode};

/// How the line on stderr begins that says that every probe is attached.
const ATTACHED: &str = "genome-trace: tracing";

/// A tracer's command line in the making.
pub struct Launch<'a> {
    context: &'a Context,
    options: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

/// An attached tracer whose stdout is read by a thread.
pub struct Tracer {
    process: Attached,
    stdout: Lines,
}

/// An attached tracer whose stdout is somebody else's.
pub struct Attached {
    process: Running,
    stderr: Lines,
    deadline: Deadline,
}

/// What a tracer left when it ended.
pub struct Trace {
    /// The lines of its stdout.
    pub events: Events,
    /// Its last word.
    pub loss: LossLine,
}

impl<'a> Launch<'a> {
    pub(crate) fn new(context: &'a Context, mode: Option<Mode>) -> Self {
        let launch = Self {
            context,
            // What the trials do is nothing for the machine's own store.
            options: ["--follow", "--format=json", "--no-store", "--own-probes"]
                .map(OsString::from)
                .into(),
            environment: Vec::new(),
        };
        match mode {
            Some(mode) => launch.option("--probe-mode", mode.name()),
            None => launch,
        }
    }

    /// `doctor --cost` in place of `--follow`, for longer than any trial takes.
    pub(crate) fn measuring(context: &'a Context) -> Self {
        let options = ["doctor", "--cost=1h", "--format=json"];
        Self {
            context,
            options: options.into_iter().map(OsString::from).collect(),
            environment: Vec::new(),
        }
    }

    /// `record`, into this store.
    pub(crate) fn recording(context: &'a Context, store: &Path) -> Self {
        let launch = Self { context, options: vec!["record".into()], environment: Vec::new() };
        let mut launch = launch.option("--store", store.display());
        // What the trials do is nothing for the machine's own readers.
        launch.options.push("--no-socket".into());
        match context.mode {
            Some(mode) => launch.option("--probe-mode", mode.name()),
            None => launch,
        }
    }

    /// Lets it record, too.
    pub fn into_store(mut self, store: &Path) -> Self {
        self.options.retain(|option| option != "--no-store");
        self.option("--store", store.display())
    }

    /// Lets readers attach at this socket.
    pub fn at_socket(mut self, socket: &Path) -> Self {
        self.options.retain(|option| option != "--no-socket");
        self.option("--socket", socket.display())
    }

    /// Adds an option with its value.
    pub fn option(mut self, name: &str, value: impl ToString) -> Self {
        self.options.push(name.into());
        self.options.push(value.to_string().into());
        self
    }

    /// Adds an option without a value.
    pub fn flag(mut self, name: &str) -> Self {
        self.options.push(name.into());
        self
    }

    /// Adds a variable to its environment.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Lets it write what people read, not JSON.
    pub fn without_json(mut self) -> Self {
        self.options.retain(|option| option != "--format=json");
        self
    }

    /// Starts the tracer and returns once it has attached.
    pub fn start(self) -> anyhow::Result<Tracer> {
        let mut process = self.start_into(Stdio::piped())?;
        let stdout = Lines::of("the tracer's stdout", process.take_stdout()?)?;
        Ok(Tracer { process, stdout })
    }

    /// The same with a stdout of the trial's choice.
    pub fn start_into(self, stdout: Stdio) -> anyhow::Result<Attached> {
        let setup = &self.context.setup;
        let mut process = Running::start(
            "the tracer",
            Command::new(&setup.tracer)
                .args(&self.options)
                .envs(self.environment)
                .stdin(Stdio::null())
                .stdout(stdout)
                .stderr(Stdio::piped()),
        )?;
        let stderr = process.stderr.take().context("the tracer has no stderr")?;
        let attached = Attached {
            process,
            stderr: Lines::of("the tracer's stderr", stderr)?,
            deadline: self.context.deadline,
        };
        attached.await_probes()?;
        Ok(attached)
    }
}

impl Attached {
    fn await_probes(&self) -> anyhow::Result<()> {
        let mut said = Vec::new();
        while let Some(line) = self.stderr.next(&self.deadline)? {
            if line.starts_with(ATTACHED) {
                return Ok(());
            }
            said.push(line);
        }
        bail!("the tracer ended before it attached:\n{}", said.join("\n"))
    }

    /// The tracer's pid.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The tracer's standard output, if it is a pipe.
    pub fn take_stdout(&mut self) -> anyhow::Result<ChildStdout> {
        let stdout = self.process.stdout.take();
        stdout.context("the tracer has no stdout")
    }

    /// Sends the tracer a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        self.process.signal(signal)
    }

    /// Waits until each of these words was on a line of stderr; gives the
    /// lines up to there.
    pub fn await_words(&self, words: &[&str]) -> anyhow::Result<Vec<String>> {
        self.await_said(words, |said| {
            words.iter().all(|word| said.iter().any(|line| line.contains(word)))
        })
    }

    /// Waits until all of these words were on one line of stderr; gives the
    /// lines up to that, which is the last.
    pub fn await_line(&self, words: &[&str]) -> anyhow::Result<Vec<String>> {
        self.await_said(words, |said| {
            said.last().is_some_and(|line| words.iter().all(|word| line.contains(word)))
        })
    }

    fn await_said(
        &self,
        words: &[&str],
        is_said: impl Fn(&[String]) -> bool,
    ) -> anyhow::Result<Vec<String>> {
        let mut said = Vec::new();
        loop {
            let line = self.stderr.next(&self.deadline).with_context(|| {
                format!("wait for a line with {words:?} after:\n{}", said.join("\n"))
            })?;
            let Some(line) = line else {
                bail!("the tracer never said {words:?}:\n{}", said.join("\n"))
            };
            said.push(line);
            if is_said(&said) {
                return Ok(said);
            }
        }
    }

    /// Waits for the end; gives the status and what stderr said since the
    /// probes were attached.
    pub fn wait(mut self) -> anyhow::Result<(ExitStatus, Vec<String>)> {
        let status = self.process.wait(&self.deadline)?;
        Ok((status, self.stderr.rest(&self.deadline)?))
    }

    /// Waits for an end that must be a good one; gives the loss line.
    pub fn finish(self) -> anyhow::Result<LossLine> {
        let (status, said) = self.wait()?;
        let said = said.join("\n");
        ensure!(status.success(), "the tracer ended with {status}, not with 0:\n{said}");
        said.lines()
            .next_back()
            .and_then(LossLine::parse)
            .with_context(|| format!("the tracer's last line is no loss line:\n{said}"))
    }

    /// The tracer's resident memory now.
    pub fn rss_bytes(&self) -> anyhow::Result<u64> {
        let file = format!("/proc/{}/status", self.pid());
        let text = fs::read_to_string(&file).with_context(|| format!("read {file}"))?;
        text.lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
            .and_then(|kib| kib.parse::<u64>().ok())
            .map(|kib| kib * 1024)
            .with_context(|| format!("{file} has no VmRSS"))
    }
}

impl Tracer {
    /// The process, to be asked or signalled.
    pub fn process(&self) -> &Attached {
        &self.process
    }

    /// Waits for the next event of this kind; those before it are gone.
    pub fn await_event(&self, kind: &str) -> anyhow::Result<Event> {
        loop {
            let line = self.stdout.next(&self.process.deadline)?;
            let line = line.with_context(|| format!("the tracer ended before a {kind}"))?;
            let event = Event::parse(&line)?;
            if event.kind() == kind {
                return Ok(event);
            }
        }
    }

    /// Waits for the next event of this kind that `is_wanted`, but not longer
    /// than that; those before it are gone.
    pub fn await_event_within(
        &self,
        patience: Duration,
        kind: &str,
        is_wanted: impl Fn(&Event) -> bool,
    ) -> anyhow::Result<Option<Event>> {
        let soon = self.process.deadline.at_most(patience);
        loop {
            let Ok(line) = self.stdout.next(&soon) else {
                self.process.deadline.remaining(format_args!("no {kind} came"))?;
                return Ok(None);
            };
            let line = line.with_context(|| format!("the tracer ended before a {kind}"))?;
            let event = Event::parse(&line)?;
            if event.kind() == kind && is_wanted(&event) {
                return Ok(Some(event));
            }
        }
    }

    /// Reads some lines of stdout and closes it.
    pub fn read_then_close(self, lines: usize) -> anyhow::Result<Attached> {
        for _ in 0..lines {
            let line = self.stdout.next(&self.process.deadline)?;
            line.context("the tracer's stdout ended early")?;
        }
        // The reading thread finds nobody to hand its next line to, and ends.
        drop(self.stdout);
        Ok(self.process)
    }

    /// Ctrl-C to one that measures: its report, and nothing else.
    pub fn report(self) -> anyhow::Result<String> {
        let deadline = self.process.deadline;
        self.process.signal(Signal::INT)?;
        let (status, said) = self.process.wait()?;
        ensure!(status.success(), "the tracer ended with {status}, not with 0: {said:?}");
        Ok(self.stdout.rest(&deadline)?.join("\n"))
    }

    /// Ctrl-C: the tracer drains what it has and ends.
    pub fn stop(self) -> anyhow::Result<Trace> {
        self.end_by(Signal::INT)
    }

    /// Ends the tracer by a signal that it must obey with exit code 0.
    pub fn end_by(self, signal: Signal) -> anyhow::Result<Trace> {
        self.process.signal(signal)?;
        self.finish()
    }

    /// Waits until the tracer ends by itself.
    pub fn finish(self) -> anyhow::Result<Trace> {
        let deadline = self.process.deadline;
        let loss = self.process.finish()?;
        let lines = self.stdout.rest(&deadline)?;
        Ok(Trace { events: Events::parse(&lines)?, loss })
    }
}

impl Trace {
    /// No event of a life's beginning or end was lost.
    pub fn check_no_lifecycle_lost(&self, checks: &mut Checks) {
        for kind in LIFECYCLE {
            checks.equal(format_args!("lost {kind}"), self.loss.of(kind), 0);
        }
    }

    /// The loss line says what the `lost` events say together.
    pub fn check_losses_agree(&self, checks: &mut Checks) {
        let told = self.events.lost();
        checks.equal("lost events against the loss line", &told, &self.loss.lost_by_kind);
        let by_kind: u64 = self.loss.lost_by_kind.values().sum();
        checks.equal("the loss line's sum", self.loss.lost, by_kind);
    }
}
