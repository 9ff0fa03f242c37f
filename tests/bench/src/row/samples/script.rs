//! The script that looks with psutil.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;

use super::crowd::PROCESSES;
use super::windows::Look;
use crate::child::Running;
use crate::deadline::Deadline;
use crate::lines::{Line, Lines};
use crate::subject::peer::find;

const LOOKS: &str = include_str!("../../subject/peer/looks.py");
/// What a script that works does not take.
const PATIENCE: Duration = Duration::from_secs(60);
/// After so many looks its modules are there, and psutil knows the processes.
const SETTLED: u32 = 3;

/// A Python that has psutil.
pub(super) struct Python {
    program: PathBuf,
    /// Python's version and psutil's.
    pub(super) version: String,
}

impl Python {
    /// The distribution's, or the first on the `PATH`; `None` where neither has
    /// psutil.
    pub(super) fn find() -> Option<Self> {
        let candidates = [Some(PathBuf::from("/usr/bin/python3")), find("python3")];
        candidates.into_iter().flatten().find_map(|program| {
            let version = version(&program)?;
            Some(Self { program, version })
        })
    }
}

fn version(program: &Path) -> Option<String> {
    const ASK: &str = "import platform, psutil; \
                       print('Python', platform.python_version(), 'psutil', psutil.__version__)";
    let output = Command::new(program).args(["-c", ASK]).stderr(Stdio::null()).output().ok()?;
    let said = output.status.success().then(|| String::from_utf8(output.stdout).ok())??;
    Some(said.trim().to_owned())
}

/// The script while it looks once a second.
pub(super) struct Script {
    pub(super) process: Running,
    told: Lines,
    /// The looks that were waited for.
    looks: Vec<Look>,
}

impl Script {
    /// Starts it, and returns when it has settled. Its looks begin whole seconds
    /// after `begin` on `CLOCK_MONOTONIC`.
    pub(super) fn start(python: &Python, begin: Duration) -> anyhow::Result<Self> {
        let mut command = Command::new(&python.program);
        command.args(["-c", LOOKS, &std::process::id().to_string()]);
        command.arg(format!("{:.3}", begin.as_secs_f64()));
        let mut process = Running::start(
            "the script with psutil",
            command.stdin(Stdio::null()).stdout(Stdio::piped()),
        )?;
        let told = Lines::of("the script's stdout", process.take_stdout()?)?;
        let mut script = Self { process, told, looks: Vec::new() };
        let deadline = Deadline::after(PATIENCE);
        for _ in 0..SETTLED {
            let line = script.told.next(&deadline)?.context("the script with psutil ended")?;
            script.looks.push(look(&line)?);
        }
        Ok(script)
    }

    pub(super) fn tgid(&self) -> u32 {
        self.process.tgid()
    }

    /// Ends it; all its looks.
    pub(super) fn end(mut self) -> anyhow::Result<Vec<Look>> {
        self.process.signal(Signal::TERM)?;
        let deadline = Deadline::after(PATIENCE);
        self.process.wait(&deadline)?;
        for line in self.told.rest(&deadline)? {
            self.looks.push(look(&line)?);
        }
        Ok(self.looks)
    }
}

fn look(line: &Line) -> anyhow::Result<Look> {
    let seen = line
        .text
        .parse()
        .with_context(|| format!("the script with psutil says {:?}", line.text))?;
    ensure!(seen <= u64::from(PROCESSES), "the script with psutil saw {seen} of {PROCESSES}");
    Ok(Look { at_ns: line.at_ns, seen })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_look() {
        let line = |text: &str| Line { at_ns: 7, text: text.to_owned() };
        assert_eq!(look(&line("500")).unwrap(), Look { at_ns: 7, seen: 500 });
        assert!(look(&line("501")).is_err());
        assert!(look(&line("Traceback")).is_err());
    }
}
