//! `genome-trace run`, and the report that it saved.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::{Context, Deadline, Ended, Program, Started, Terminal};

/// A command line of `run` in the making, whose report is kept in a folder of
/// its own.
pub struct CommandRun<'a> {
    context: &'a Context,
    folder: TempDir,
    options: Vec<String>,
    environment: Vec<(String, String)>,
    user: Option<u32>,
}

/// What a run said of itself.
#[derive(Debug)]
pub struct RunReport(Value);

impl<'a> CommandRun<'a> {
    pub(crate) fn new(context: &'a Context) -> anyhow::Result<Self> {
        let options = match context.mode {
            Some(mode) => vec![format!("--probe-mode={}", mode.name())],
            None => Vec::new(),
        };
        let folder = context.folder()?;
        Ok(Self { context, folder, options, environment: Vec::new(), user: None })
    }

    /// Adds an option.
    pub fn option(mut self, option: impl Into<String>) -> Self {
        self.options.push(option.into());
        self
    }

    /// Adds a variable to its environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Lets it run as another user, without privileges.
    pub fn as_user(mut self, uid: u32) -> Self {
        self.user = Some(uid);
        self
    }

    fn report_file(&self) -> PathBuf {
        self.folder.path().join("report.json")
    }

    fn words(&self) -> Vec<String> {
        let save = format!("--save={}", self.report_file().display());
        let words = ["run".to_owned(), save].into_iter();
        words.chain(self.options.iter().cloned()).chain(["--".to_owned()]).collect()
    }

    /// Starts it; its stdin says nothing and stays.
    pub fn start(&self, command: &[impl AsRef<OsStr>]) -> anyhow::Result<Started> {
        self.program(command).hold()
    }

    /// Runs it to its end, which may be any, and does not look at a report.
    pub fn end(&self, command: &[impl AsRef<OsStr>]) -> anyhow::Result<Ended> {
        self.program(command).run()
    }

    /// Runs it to its end, which may be any.
    pub fn run(&self, command: &[impl AsRef<OsStr>]) -> anyhow::Result<(Ended, RunReport)> {
        let ended = self.end(command)?;
        let report = self.report().with_context(|| format!("{ended:?}"))?;
        Ok((ended, report))
    }

    fn program(&self, command: &[impl AsRef<OsStr>]) -> Program<'a> {
        let program = self.context.program(&self.context.setup.tracer);
        let program = program.args(self.words()).args(command);
        let program = self
            .environment
            .iter()
            .fold(program, |program, (name, value)| program.env(name, value));
        match self.user {
            Some(uid) => program.as_user(uid, uid),
            None => program,
        }
    }

    /// Starts it in a terminal.
    pub fn in_terminal(&self, command: &[impl AsRef<OsStr>]) -> anyhow::Result<Terminal> {
        let mut run = Command::new(&self.context.setup.tracer);
        run.args(self.words()).args(command);
        Terminal::start(run, self.deadline())
    }

    /// The same under a shell in that terminal: `"$@"` is the run.
    pub fn in_shell(
        &self,
        script: &str,
        command: &[impl AsRef<OsStr>],
    ) -> anyhow::Result<Terminal> {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(&self.context.setup.tracer);
        shell.args(self.words()).args(command);
        Terminal::start(shell, self.deadline())
    }

    fn deadline(&self) -> Deadline {
        self.context.deadline
    }

    /// What it saved.
    pub fn report(&self) -> anyhow::Result<RunReport> {
        let text = fs::read(self.report_file()).context("read the report")?;
        serde_json::from_slice(&text).map(RunReport).context("read the report")
    }
}

impl RunReport {
    /// The figure of its only run; `None` where it is unknown.
    pub fn figure(&self, metric: &str) -> Option<u64> {
        self.at(&format!("/runs/0/figures/{metric}")).and_then(Value::as_u64)
    }

    /// The number there, or 0 where there is nothing.
    pub fn count(&self, pointer: &str) -> u64 {
        self.at(pointer).and_then(Value::as_u64).unwrap_or(0)
    }

    /// What is there.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.0.pointer(pointer)
    }

    /// Something of the only run.
    pub fn of_run(&self, name: &str) -> &Value {
        self.at(&format!("/runs/0/{name}")).unwrap_or(&Value::Null)
    }
}
