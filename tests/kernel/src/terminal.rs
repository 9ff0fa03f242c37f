//! A terminal with a program in it, as a user would have it.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};

use anyhow::{Context as _, bail};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, ioctl_tiocsctty, kill_process_group, setsid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::stdio::stdin;

use crate::{Deadline, program};

/// A program that has a terminal of its own, and everything that the terminal
/// was shown.
pub struct Terminal {
    controller: File,
    child: Child,
    shown: Vec<u8>,
    /// Up to here it was waited for.
    read: usize,
    deadline: Deadline,
}

impl Terminal {
    /// Starts the command as the leader of a session with a new terminal.
    pub fn start(mut command: Command, deadline: Deadline) -> anyhow::Result<Self> {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .context("open a terminal")?;
        grantpt(&controller).context("grant a terminal")?;
        unlockpt(&controller).context("unlock a terminal")?;
        let name = ptsname(&controller, Vec::new()).context("name a terminal")?;
        let terminal: OwnedFd =
            open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
                .context("open the other side of a terminal")?;
        let again = |fd: &OwnedFd| fd.try_clone().context("copy a descriptor");
        program::without_claims(&mut command)
            .stdin(again(&terminal)?)
            .stdout(again(&terminal)?)
            .stderr(terminal);
        // SAFETY: nothing there but system calls.
        unsafe {
            command.pre_exec(|| {
                setsid()?;
                ioctl_tiocsctty(stdin())?;
                Ok(())
            })
        };
        let child = command.spawn().with_context(|| format!("start {command:?}"))?;
        let controller = File::from(controller);
        Ok(Self { controller, child, shown: Vec::new(), read: 0, deadline })
    }

    /// Types something.
    pub fn type_in(&mut self, keys: &[u8]) -> anyhow::Result<()> {
        self.controller.write_all(keys).context("type into a terminal")
    }

    /// Waits until it shows this, after what it was waited for before.
    pub fn await_text(&mut self, text: &str) -> anyhow::Result<()> {
        loop {
            let rest = self.shown.get(self.read..).unwrap_or_default();
            if let Some(at) = find(rest, text.as_bytes()) {
                self.read += at + text.len();
                return Ok(());
            }
            if !self.read_more(&format!("the terminal did not show {text:?}"))? {
                bail!("the terminal never showed {text:?}: {}", self.text());
            }
        }
    }

    /// Waits until nobody has the terminal any more; the leader's status, and
    /// all that was shown.
    pub fn finish(mut self) -> anyhow::Result<(ExitStatus, Vec<u8>)> {
        while self.read_more("the terminal was not let go")? {}
        let status = self.child.wait().context("wait for a session's leader")?;
        Ok((status, std::mem::take(&mut self.shown)))
    }

    fn read_more(&mut self, what: &str) -> anyhow::Result<bool> {
        let left = self.deadline.remaining_timespec(format_args!("{what}: {}", self.text()))?;
        match poll(&mut [PollFd::new(&self.controller, PollFlags::IN)], Some(&left)) {
            Ok(0) | Err(Errno::INTR) => return Ok(true),
            Ok(_) => {}
            Err(error) => return Err(error).context("wait for a terminal"),
        }
        let mut room = [0; 4096];
        match self.controller.read(&mut room) {
            Ok(0) => Ok(false),
            Ok(count) => {
                self.shown.extend(room.iter().take(count));
                Ok(true)
            }
            // Nobody has the other side.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error).context("read a terminal"),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
