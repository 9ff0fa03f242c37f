//! Workloads as processes that wait before their work, and their own account
//! of what they did.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::child::Running;
use crate::deadline::Deadline;
use crate::lines::Lines;

/// No workload of a benchmark takes that long, even under the slowest tracer.
const PATIENCE: Duration = Duration::from_secs(240);

/// A workload that has not begun its work.
pub(crate) struct Held {
    process: Running,
    stdout: Lines,
}

/// One that works.
pub(crate) struct Working {
    process: Running,
    stdout: Lines,
}

/// What a workload says that it did.
#[derive(Clone, Debug)]
pub(crate) struct Truth(Value);

impl Held {
    /// Starts the program with these words, and `--hold`.
    pub(crate) fn start(
        program: &Path,
        words: &[OsString],
        cpus: &[usize],
    ) -> anyhow::Result<Self> {
        Self::start_as(program, words, cpus, None)
    }

    /// The same as a persona's.
    pub(crate) fn start_as(
        program: &Path,
        words: &[OsString],
        cpus: &[usize],
        persona: Option<&str>,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(words).arg("--hold");
        for cpu in cpus {
            command.arg("--cpu").arg(cpu.to_string());
        }
        // What this process claims to be is no matter of the workload.
        for claim in ["GENOME_PERSONA", "GENOME_ID"] {
            command.env_remove(claim);
        }
        if let Some(persona) = persona {
            command.env("GENOME_PERSONA", persona);
        }
        let mut process = Running::start(
            "the workload",
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()),
        )?;
        let stdout = Lines::of("the workload's stdout", process.take_stdout()?)?;
        let line = stdout.next(&Deadline::after(PATIENCE))?;
        let line = line.context("the workload ended before it said its pid")?.text;
        ensure!(line.contains("\"held\""), "the workload is not held: {line}");
        Ok(Self { process, stdout })
    }

    /// Its process id, whose descendants do the work.
    pub(crate) fn tgid(&self) -> u32 {
        self.process.tgid()
    }

    /// Lets it work.
    pub(crate) fn release(mut self) -> anyhow::Result<Working> {
        let stdin = self.process.take_stdin();
        let mut stdin = stdin.context("release the workload: it has no stdin")?;
        stdin.write_all(b"\n").context("release the workload")?;
        Ok(Working { process: self.process, stdout: self.stdout })
    }
}

impl Working {
    /// Waits for its end and gives its account.
    pub(crate) fn finish(mut self) -> anyhow::Result<Truth> {
        let deadline = Deadline::after(PATIENCE);
        let line = self.stdout.next(&deadline)?.map(|line| line.text).unwrap_or_default();
        let ended = self.process.wait(&deadline)?;
        if !ended.status.success() {
            bail!("the workload ended with {}: {line}", ended.status);
        }
        Truth::parse(&line)
    }
}

impl Truth {
    /// Reads the line that a workload prints.
    pub(crate) fn parse(line: &str) -> anyhow::Result<Self> {
        serde_json::from_str(line)
            .map(Self)
            .with_context(|| format!("the workload's account is no JSON: {line}"))
    }

    /// The number of that name.
    pub(crate) fn number(&self, name: &str) -> anyhow::Result<u64> {
        self.0
            .get(name)
            .and_then(Value::as_u64)
            .with_context(|| format!("the workload does not say {name}: {}", self.0))
    }

    /// The objects of the list of that name.
    pub(crate) fn list(&self, name: &str) -> &[Value] {
        self.0.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// How long the measured loop took.
    pub(crate) fn elapsed_ns(&self) -> anyhow::Result<u64> {
        self.number("elapsed_ns")
    }

    /// The process that was started as the workload.
    pub(crate) fn tgid(&self) -> anyhow::Result<u64> {
        self.number("pid")
    }

    /// The forked workers that did the counted work.
    pub(crate) fn workers(&self) -> Vec<u64> {
        self.list("workers").iter().filter_map(|worker| worker.get("pid")?.as_u64()).collect()
    }
}
