//! One start of the binary.

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    io::{self, Read as _, Seek as _},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::genome_trace;

/// Nobody's uid and gid, by custom.
const NOBODY: u32 = 65534;
/// Nothing that is tested here takes more than a moment.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The binary with its arguments, before it is started.
pub struct Invocation {
    command: Command,
    /// Holds the binary where any user can reach it.
    folder: Option<TempDir>,
    has_stdout: bool,
}

impl Invocation {
    /// The binary with these arguments, by the user that runs the tests. Of
    /// the environment it sees nothing, so that no setting of the developer's
    /// changes what it says.
    ///
    /// # Errors
    /// There is no binary.
    pub fn new<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> io::Result<Self> {
        Ok(Self::of(genome_trace()?.to_path_buf(), args))
    }

    /// The same, without any capability: where the tests run as root, by
    /// another user.
    ///
    /// # Errors
    /// There is no binary, or no room for a copy of it.
    pub fn unprivileged<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> io::Result<Self> {
        // /proc/self belongs to the user that this process acts for.
        if fs::metadata("/proc/self")?.uid() != 0 {
            return Self::new(args);
        }
        let folder = TempDir::new()?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let copy = folder.path().join("genome-trace");
        // A copy only where the two lie on different file systems: it is large.
        if fs::hard_link(genome_trace()?, &copy).is_err() {
            fs::copy(genome_trace()?, &copy)?;
        }
        let mut invocation = Self::of(copy, args);
        invocation.command.uid(NOBODY).gid(NOBODY).current_dir("/");
        invocation.folder = Some(folder);
        Ok(invocation)
    }

    fn of<A: AsRef<OsStr>>(binary: PathBuf, args: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(binary);
        command.args(args).env_clear();
        Self { command, folder: None, has_stdout: false }
    }

    /// One variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Another folder to start in.
    #[must_use]
    pub fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Another stdout than one that is read.
    #[must_use]
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self.has_stdout = true;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It could not be started, or did not end.
    pub fn run(self) -> io::Result<Ended> {
        let Self { mut command, folder, has_stdout } = self;
        // Files, not pipes: they hold any amount without a reader.
        let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
        if !has_stdout {
            command.stdout(stdout.try_clone()?);
        }
        let mut child = start(command.stdin(Stdio::null()).stderr(stderr.try_clone()?))?;
        // Closes what the command holds open, the far end of a pipe perhaps.
        drop(command);
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("it did not end; it said: {}", text(&mut stderr)?),
                ));
            }
            thread::sleep(LOOK_AGAIN);
        };
        drop(folder);
        Ok(Ended { status, stdout: text(&mut stdout)?, stderr: text(&mut stderr)? })
    }
}

/// Starts it. A copy just made is busy for a moment where another thread of
/// the tests forked while it was written: the fork holds it open until it
/// runs its own program.
fn start(command: &mut Command) -> io::Result<std::process::Child> {
    let begun = Instant::now();
    loop {
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy
                    && begun.elapsed() < PATIENCE =>
            {
                thread::sleep(LOOK_AGAIN);
            }
            other => return other,
        }
    }
}

fn text(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// How it ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote to stdout, where that was not somewhere else.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Ended {
    /// Its exit code; `None` where a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The one line of stderr; `None` where there is not exactly one.
    #[must_use]
    pub fn only_line(&self) -> Option<&str> {
        let mut lines = self.stderr.lines();
        lines.next().filter(|_| lines.next().is_none())
    }
}
