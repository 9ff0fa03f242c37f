//! A child process that is waited for with a deadline and never left behind.

use std::ops::{Deref, DerefMut};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};

use crate::Deadline;

/// A running child in a process group of its own; when it is dropped, whoever
/// is left of the group is killed, and the child is reaped.
pub(crate) struct Running {
    name: &'static str,
    child: Child,
    pid: Pid,
}

impl Running {
    /// Starts the command. `name` is what errors call the child.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> anyhow::Result<Self> {
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name}: {command:?}"))?;
        let pid = Pid::from_child(&child);
        Ok(Self { name, child, pid })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal; the child is not reaped yet, so its pid is its own.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        kill_process(self.pid, signal).with_context(|| format!("send {signal:?} to {}", self.name))
    }

    /// Waits for the end, killing nobody.
    pub(crate) fn wait(&mut self, deadline: &Deadline) -> anyhow::Result<ExitStatus> {
        self.await_end(deadline)?;
        self.child.wait().with_context(|| format!("wait for {}", self.name))
    }

    /// Waits on the process' own file descriptor, which turns readable at the
    /// end.
    fn await_end(&self, deadline: &Deadline) -> anyhow::Result<()> {
        let pidfd = pidfd_open(self.pid, PidfdFlags::empty())
            .with_context(|| format!("open a pidfd of {}", self.name))?;
        loop {
            let left = deadline.remaining_timespec(format_args!("{} did not end", self.name))?;
            let mut entries = [PollFd::new(&pidfd, PollFlags::IN)];
            match poll(&mut entries, Some(&left)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error).context("poll a pidfd"),
            }
        }
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.child
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The group is the child's until the child is reaped. Afterwards its
        // number may be anybody's, and a child that ended well has left nobody.
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process_group(self.pid, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}
