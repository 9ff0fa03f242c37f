//! Any program as a process of a trial: a shell, a script, the tracer itself.

use std::env;
use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, ensure};

use rustix::process::Signal;

use crate::child::Running;
use crate::lines::Lines;
use crate::{Context, Deadline};

/// What a process claims about itself by its environment.
const CLAIMS: [&str; 2] = ["GENOME_PERSONA", "GENOME_ID"];

/// A program's command line in the making.
pub struct Program<'a> {
    context: &'a Context,
    command: Command,
}

/// A started program.
pub struct Started {
    process: Running,
    stdout: Lines,
    stderr: Lines,
    deadline: Deadline,
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Its pid, which may be another's by now.
    pub pid: u64,
    /// Its status.
    pub status: ExitStatus,
    /// The lines of its stdout.
    pub stdout: Vec<String>,
    /// The lines of its stderr.
    pub stderr: Vec<String>,
}

/// A command that does not hand on what the tests' own environment claims.
pub(crate) fn without_claims(command: &mut Command) -> &mut Command {
    for name in CLAIMS {
        command.env_remove(name);
    }
    command
}

/// The program of that name on `PATH`, if there is one.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

impl<'a> Program<'a> {
    pub(crate) fn new(context: &'a Context, program: &OsStr) -> Self {
        let mut command = Command::new(program);
        without_claims(&mut command);
        Self { context, command }
    }

    /// Adds an argument.
    pub fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.command.arg(word);
        self
    }

    /// Adds arguments.
    pub fn args(mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(words);
        self
    }

    /// Adds a variable to its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Lets it begin in this folder.
    pub fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Lets it run as another user, of this group alone.
    pub fn as_user(mut self, uid: u32, gid: u32) -> Self {
        self.command.uid(uid).gid(gid);
        self
    }

    /// Starts it.
    pub fn start(self) -> anyhow::Result<Started> {
        self.start_with(Stdio::null())
    }

    /// Starts it with a stdin that says nothing, and ends when the value goes
    /// or its end is waited for.
    pub fn hold(self) -> anyhow::Result<Started> {
        self.start_with(Stdio::piped())
    }

    fn start_with(mut self, stdin: Stdio) -> anyhow::Result<Started> {
        let command = self.command.stdin(stdin);
        let mut process =
            Running::start("a program", command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let stdout = process.stdout.take().context("a program has no stdout")?;
        let stderr = process.stderr.take().context("a program has no stderr")?;
        Ok(Started {
            process,
            stdout: Lines::of("a program's stdout", stdout)?,
            stderr: Lines::of("a program's stderr", stderr)?,
            deadline: self.context.deadline,
        })
    }

    /// Starts it and waits for its end, which may be any.
    pub fn run(self) -> anyhow::Result<Ended> {
        self.start()?.finish()
    }

    /// The same with an end that must be a good one; gives its pid.
    pub fn succeed(self) -> anyhow::Result<u64> {
        self.start()?.succeed()
    }
}

impl Started {
    /// Its pid.
    pub fn pid(&self) -> u64 {
        self.process.pid().into()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        self.process.signal(signal)
    }

    /// Writes a line to the stdin of one that is held.
    pub fn say(&mut self, line: &str) -> anyhow::Result<()> {
        let stdin = self.process.stdin.as_mut().context("a program has no stdin")?;
        writeln!(stdin, "{line}").with_context(|| format!("say {line:?} to a program"))
    }

    /// The next line of its stdout.
    pub fn next_line(&self) -> anyhow::Result<String> {
        let line = self.stdout.next(&self.deadline)?;
        line.context("a program ended before it said anything")
    }

    /// The next line of its stderr.
    pub fn next_complaint(&self) -> anyhow::Result<String> {
        let line = self.stderr.next(&self.deadline)?;
        line.context("a program ended before it said anything on stderr")
    }

    /// Waits for its end.
    pub fn finish(mut self) -> anyhow::Result<Ended> {
        drop(self.process.stdin.take());
        let pid = self.pid();
        let status = self.process.wait(&self.deadline)?;
        let stdout = self.stdout.rest(&self.deadline)?;
        let stderr = self.stderr.rest(&self.deadline)?;
        Ok(Ended { pid, status, stdout, stderr })
    }

    /// Waits for an end that must be a good one; gives its pid.
    pub fn succeed(self) -> anyhow::Result<u64> {
        let ended = self.finish()?;
        ensure!(ended.status.success(), "a program did not succeed: {ended:?}");
        Ok(ended.pid)
    }
}
