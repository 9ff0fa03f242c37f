//! A subject at work: started, attached, stopped, and what it used.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::Signal;

use super::ready::{Control, Wait};
use super::{Program, Ready, Subject, Target};
use crate::account::Tally;
use crate::child::Running;
use crate::clock::cpu_time;
use crate::deadline::Deadline;
use crate::lines::Lines;
use crate::workload::Truth;

/// What is still in its buffers must be out by then.
const STOP_PATIENCE: Duration = Duration::from_secs(120);

/// All programs of a subject, attached.
pub(crate) struct Attached<'a> {
    parts: Vec<Part<'a>>,
    target: Target,
}

/// One of them.
struct Part<'a> {
    program: &'a dyn Program,
    process: Running,
    // Held so that a program that talks on finds a reader.
    _talk: Lines,
    output: PathBuf,
    cpu_at_attach: Duration,
}

/// All programs of a subject, ended, and what they left.
pub(crate) struct Stopped<'a> {
    /// What they used.
    pub(crate) usage: Usage,
    outputs: Vec<(&'a dyn Program, PathBuf)>,
    target: Target,
}

/// What the programs of a subject used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// CPU time since they had attached.
    pub(crate) cpu: Duration,
    /// The most memory that each had, added up.
    pub(crate) peak_rss_bytes: u64,
}

impl<'a> Attached<'a> {
    /// Starts the programs, with their output in `folder`, and returns once
    /// they have attached. `canary` does a little of the load and says so.
    pub(crate) fn start(
        subject: &'a Subject,
        target: Target,
        folder: &Path,
        canary: &dyn Fn() -> anyhow::Result<Truth>,
    ) -> anyhow::Result<Self> {
        let parts = subject
            .programs
            .iter()
            .enumerate()
            .map(|(n, program)| {
                let output = folder.join(format!("output-{n}"));
                Part::start(program.as_ref(), &target, output, canary)
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { parts, target })
    }

    /// Ctrl-C: each program drains what it has and ends.
    pub(crate) fn stop(self) -> anyhow::Result<Stopped<'a>> {
        for part in &self.parts {
            part.process.signal(Signal::INT)?;
        }
        let mut usage = Usage::default();
        let mut outputs = Vec::new();
        for mut part in self.parts {
            let ended = part.process.wait(&Deadline::after(STOP_PATIENCE))?;
            usage.cpu += ended.cpu.saturating_sub(part.cpu_at_attach);
            usage.peak_rss_bytes += ended.peak_rss_bytes;
            outputs.push((part.program, part.output));
        }
        Ok(Stopped { usage, outputs, target: self.target })
    }
}

impl<'a> Part<'a> {
    fn start(
        program: &'a dyn Program,
        target: &Target,
        output: PathBuf,
        canary: &dyn Fn() -> anyhow::Result<Truth>,
    ) -> anyhow::Result<Self> {
        let name = program.name();
        let stdout =
            File::create(&output).with_context(|| format!("create {}", output.display()))?;
        let ready = program.ready(&output);
        let control = match &ready {
            Ready::Control { order, answer } => Some(Control::prepare(order, answer)?),
            _ => None,
        };
        let mut process = Running::start(
            name,
            program
                .command(target, &output)
                .stdin(Stdio::null())
                .stdout(stdout)
                .stderr(Stdio::piped()),
        )?;
        let talk = Lines::of(name, process.take_stderr()?)?;
        let wait = Wait { name, process: &process, talk: &talk, output: &output };
        match ready {
            Ready::Talk(words) => wait.for_talk(words)?,
            Ready::Output(words) => wait.for_output(words)?,
            Ready::Canary => wait.for_canary(canary)?,
            Ready::Control { .. } => {
                control.context("order a start: there is no FIFO")?.begin(&wait)?;
            }
        }
        let cpu_at_attach = cpu_time(process.tgid())?;
        Ok(Self { program, process, _talk: talk, output, cpu_at_attach })
    }
}

impl Stopped<'_> {
    /// What they told, against the truth.
    pub(crate) fn tally(&self, truth: &Truth) -> anyhow::Result<Vec<Tally>> {
        let mut tallies = Vec::new();
        for (program, output) in &self.outputs {
            tallies.extend(
                program
                    .tally(&self.target, output, truth)
                    .with_context(|| format!("read what {} told", program.name()))?,
            );
        }
        Ok(tallies)
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        for (_, output) in &self.outputs {
            // The folder goes at the end; this only keeps it small.
            for file in [output.clone(), output.with_extension("data")] {
                let _ = fs::remove_file(file);
            }
        }
    }
}
