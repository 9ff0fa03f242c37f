//! Workloads as processes, and their own account of what they did.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::child::Running;
use crate::lines::Lines;
use crate::{Context, Deadline, program};

/// Exit code of a workload that this kernel or machine refuses.
const UNSUPPORTED: i32 = 77;

/// A workload's command line in the making.
pub struct Workload<'a> {
    context: &'a Context,
    words: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
}

/// A started workload.
struct Started {
    process: Running,
    stdout: Lines,
    deadline: Deadline,
}

/// A workload that has not begun its work.
pub struct Held(Started);

/// A workload that has done its work, has said so, and rests until it is let
/// go.
pub struct Resting {
    started: Started,
    truth: Truth,
}

/// What a workload says that it did.
#[derive(Debug)]
pub struct Truth(Value);

/// The machine lacks what the workload needs; the trial is ignored.
#[derive(Debug)]
pub struct Unsupported(pub String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsupported {}

impl<'a> Workload<'a> {
    pub(crate) fn new(context: &'a Context, name: &str) -> Self {
        Self { context, words: vec![name.into()], variables: Vec::new() }
    }

    /// Adds a flag.
    pub fn flag(mut self, name: &str) -> Self {
        self.words.push(name.into());
        self
    }

    /// Adds an option with a value.
    pub fn option(self, name: &str, value: impl ToString) -> Self {
        let value = value.to_string();
        self.flag(name).flag(&value)
    }

    /// Adds an option with a path.
    pub fn path(self, name: &str, value: &Path) -> Self {
        let mut workload = self.flag(name);
        workload.words.push(value.into());
        workload
    }

    /// Adds a variable to its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Starts it, waits for its end, and gives its account.
    pub fn run(self) -> anyhow::Result<Truth> {
        self.start(Stdio::null())?.finish(None)
    }

    /// Starts it and lets it go on; `finish_or_else` waits for it.
    pub fn start_free(self) -> anyhow::Result<Held> {
        self.start(Stdio::null()).map(Held)
    }

    /// Starts it but lets it wait before its work, until `release`.
    pub fn hold(self) -> anyhow::Result<Held> {
        let held = self.flag("--hold").start(Stdio::piped())?;
        let line = held.stdout.next(&held.deadline)?;
        let line = line.context("the workload ended before it said its pid")?;
        let said: Value = serde_json::from_str(&line)
            .with_context(|| format!("the workload's first line is no JSON: {line}"))?;
        let pid = said.get("pid").and_then(Value::as_u64);
        ensure!(
            said.get("held").is_some() && pid == Some(held.process.pid().into()),
            "the workload is not held: {line}"
        );
        Ok(Held(held))
    }

    fn start(self, stdin: Stdio) -> anyhow::Result<Started> {
        let mut process = Running::start(
            "the workload",
            program::without_claims(&mut Command::new(&self.context.setup.workload))
                .args(&self.words)
                .envs(self.variables)
                .stdin(stdin)
                .stdout(Stdio::piped()),
        )?;
        let stdout = process.stdout.take().context("the workload has no stdout")?;
        Ok(Started {
            process,
            stdout: Lines::of("the workload's stdout", stdout)?,
            deadline: self.context.deadline,
        })
    }
}

impl Started {
    /// The account, from a line that was read already or the next one.
    fn finish(mut self, line: Option<String>) -> anyhow::Result<Truth> {
        let line = match line {
            Some(line) => Some(line),
            None => self.stdout.next(&self.deadline)?,
        };
        let status = self.process.wait(&self.deadline)?;
        let line = line.unwrap_or_default();
        if status.code() == Some(UNSUPPORTED) {
            return Err(Unsupported(unsupported_reason(&line)).into());
        }
        ensure!(status.success(), "the workload ended with {status}: {line}");
        serde_json::from_str(&line)
            .map(Truth)
            .with_context(|| format!("the workload's account is no JSON: {line}"))
    }
}

fn unsupported_reason(line: &str) -> String {
    let said: Option<Value> = serde_json::from_str(line).ok();
    let reason = said.as_ref().and_then(|said| said.get("unsupported"));
    match reason.and_then(Value::as_str) {
        Some(reason) => reason.to_owned(),
        None => "the workload gave no reason".to_owned(),
    }
}

impl Held {
    /// The workload's pid.
    pub fn pid(&self) -> u32 {
        self.0.process.pid()
    }

    /// Lets it work, waits for its end, and gives its account.
    pub fn release(mut self) -> anyhow::Result<Truth> {
        let mut stdin = self.0.process.stdin.take();
        if let Some(stdin) = &mut stdin {
            stdin.write_all(b"\n").context("release the workload")?;
        }
        self.0.finish(None)
    }

    /// Lets it work, and returns when it says that it rests, with what it says
    /// then.
    pub fn settle(mut self) -> anyhow::Result<Resting> {
        let stdin = self.0.process.stdin.as_mut().context("the workload has no stdin")?;
        stdin.write_all(b"\n").context("release the workload")?;
        let line = self.0.stdout.next(&self.0.deadline)?;
        let line = line.context("the workload ended before it rested")?;
        let said: Option<Value> = serde_json::from_str(&line).ok();
        let truth = said.as_ref().and_then(|said| said.get("rests"));
        let truth = truth.with_context(|| format!("the workload does not rest: {line}"))?;
        Ok(Resting { truth: Truth(truth.clone()), started: self.0 })
    }

    /// Waits for the account of one that runs freely, and does something at
    /// every interval until it is there.
    pub fn finish_or_else(
        self,
        interval: std::time::Duration,
        mut meanwhile: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Truth> {
        loop {
            self.0.deadline.remaining("the workload did not end")?;
            match self.0.stdout.next(&Deadline::after(interval)) {
                Ok(line) => return self.0.finish(line),
                Err(_) => meanwhile()?,
            }
        }
    }
}

impl Resting {
    /// The workload's pid.
    pub fn pid(&self) -> u32 {
        self.started.process.pid()
    }

    /// What it said when it began to rest.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Lets it end, and gives its last account.
    pub fn finish(mut self) -> anyhow::Result<Truth> {
        drop(self.started.process.stdin.take());
        self.started.finish(None)
    }
}

impl Truth {
    /// Reads the line that a workload printed somewhere.
    pub fn parse(line: &str) -> anyhow::Result<Self> {
        serde_json::from_str(line)
            .map(Self)
            .with_context(|| format!("the workload's account is no JSON: {line}"))
    }

    /// The number at a JSON pointer.
    pub fn number(&self, pointer: &str) -> anyhow::Result<u64> {
        self.maybe_number(pointer)
            .with_context(|| format!("the workload does not say {pointer}: {}", self.0))
    }

    /// The number at a JSON pointer, none where it is null.
    pub fn maybe_number(&self, pointer: &str) -> Option<u64> {
        self.0.pointer(pointer)?.as_u64()
    }

    /// The text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> anyhow::Result<&str> {
        self.0
            .pointer(pointer)
            .and_then(Value::as_str)
            .with_context(|| format!("the workload does not say {pointer}: {}", self.0))
    }

    /// Whether the flag at a JSON pointer is set.
    pub fn flag(&self, pointer: &str) -> bool {
        self.0.pointer(pointer).and_then(Value::as_bool) == Some(true)
    }

    /// The numbers in the list at a JSON pointer.
    pub fn numbers(&self, pointer: &str) -> Vec<u64> {
        let list = self.0.pointer(pointer).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_u64).collect()
    }

    /// The pids of the workers that did the counted work.
    pub fn workers(&self) -> Vec<u64> {
        let list = self.0.get("workers").and_then(Value::as_array);
        let workers = list.into_iter().flatten();
        workers.filter_map(|worker| worker.get("pid")?.as_u64()).collect()
    }

    /// The pid of the workload itself.
    pub fn pid(&self) -> anyhow::Result<u64> {
        self.number("/pid")
    }
}
