//! Waiting for the event that shows that a program has attached.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

use super::peer::mentions;
use crate::child::Running;
use crate::deadline::Deadline;
use crate::lines::Lines;
use crate::workload::Truth;

/// A program that has not attached by then never will; under emulation the
/// verifier takes its time.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a file is looked at that grows without telling.
const GLANCE: Duration = Duration::from_millis(10);

/// A program that was started, and that has perhaps attached.
pub(super) struct Wait<'a> {
    pub(super) name: &'a str,
    pub(super) process: &'a Running,
    pub(super) talk: &'a Lines,
    pub(super) output: &'a Path,
}

impl Wait<'_> {
    /// Until a line on stderr has the words in it.
    pub(super) fn for_talk(&self, words: &str) -> anyhow::Result<()> {
        let deadline = Deadline::after(PATIENCE);
        let mut said = Vec::new();
        while let Some(line) = self.talk.next(&deadline)? {
            if line.text.contains(words) {
                return Ok(());
            }
            said.push(line.text);
        }
        bail!("{} ended before it attached: {}", self.name, said.join("; "))
    }

    /// Until stdout, a file, has the words in it.
    pub(super) fn for_output(&self, words: &str) -> anyhow::Result<()> {
        let deadline = Deadline::after(PATIENCE);
        while !self.output()?.contains(words) {
            deadline.remaining(format_args!("{} does not say {words:?}", self.name))?;
            if self.process.ends_within(GLANCE)? {
                return self.fail();
            }
        }
        Ok(())
    }

    /// Until its output speaks of a process that did some of the load.
    pub(super) fn for_canary(
        &self,
        canary: &dyn Fn() -> anyhow::Result<Truth>,
    ) -> anyhow::Result<()> {
        let deadline = Deadline::after(PATIENCE);
        let mut sung = Vec::new();
        while !self.output()?.lines().any(|line| mentions(line, &sung)) {
            deadline.remaining(format_args!("{} sees nothing of the canary", self.name))?;
            if self.process.ends_within(GLANCE)? {
                return self.fail();
            }
            let truth = canary().context("let the canary sing")?;
            sung.push(truth.tgid()?);
            sung.extend(truth.workers());
        }
        Ok(())
    }

    fn output(&self) -> anyhow::Result<String> {
        let bytes =
            fs::read(self.output).with_context(|| format!("read {}", self.output.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn fail(&self) -> anyhow::Result<()> {
        let said = self.talk.rest(&Deadline::after(PATIENCE))?;
        let said: Vec<String> = said.into_iter().map(|line| line.text).collect();
        bail!("{} ended before it attached: {}", self.name, said.join("; "))
    }
}

/// Two FIFOs, for perf's `--control`.
pub(super) struct Control {
    order: File,
    answer: File,
}

impl Control {
    /// Makes the FIFOs anew. They are opened for both directions, so that
    /// nobody waits for the other's opening.
    pub(super) fn prepare(order: &Path, answer: &Path) -> anyhow::Result<Self> {
        let open = |path: &Path| {
            // Perhaps one is there from the run before.
            let _ = fs::remove_file(path);
            mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
            let flags = OFlags::NONBLOCK.bits().cast_signed();
            OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
        };
        let open = |path: &Path| open(path).with_context(|| format!("make {}", path.display()));
        Ok(Self { order: open(order)?, answer: open(answer)? })
    }

    /// Gives the order and awaits the answer.
    pub(super) fn begin(mut self, wait: &Wait<'_>) -> anyhow::Result<()> {
        self.order.write_all(b"enable\n").context("order a start")?;
        let deadline = Deadline::after(PATIENCE);
        loop {
            deadline.remaining(format_args!("{} does not answer", wait.name))?;
            if wait.process.has_ended()? {
                return wait.fail();
            }
            let glance = Timespec::try_from(GLANCE).context("wait that long")?;
            let ready = poll(&mut [PollFd::new(&self.answer, PollFlags::IN)], Some(&glance));
            if ready.context("wait for an answer")? > 0 {
                let mut said = [0; 16];
                let _ = self.answer.read(&mut said).context("read an answer")?;
                return Ok(());
            }
        }
    }
}
