//! A child process that is waited for with a deadline, with what it used, and
//! never left behind.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::time::Duration;

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open,
    set_parent_process_death_signal,
};

use crate::deadline::Deadline;

/// A running child in a process group of its own; when it is dropped, whoever
/// is left of the group is killed, and the child is reaped. Where this process
/// is killed, so is the child.
pub(crate) struct Running {
    name: String,
    child: Child,
    pid: Pid,
    waited: bool,
}

/// How a child ended, and what it and those it waited for used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// Its status.
    pub(crate) status: ExitStatus,
    /// User and system time.
    pub(crate) cpu: Duration,
    /// The most memory that it had resident.
    pub(crate) peak_rss_bytes: u64,
}

impl Running {
    /// Starts the command. `name` is what errors call the child.
    pub(crate) fn start(name: &str, command: &mut Command) -> anyhow::Result<Self> {
        let die_with_us = || Ok(set_parent_process_death_signal(Some(Signal::KILL))?);
        // SAFETY: between fork and exec the closure makes one system call, and
        // touches neither memory nor locks.
        unsafe { command.pre_exec(die_with_us) };
        Self::start_fast(name, command)
    }

    /// The same for one that is only short-lived, and whose start is measured,
    /// too: without work between fork and exec std starts it by posix_spawn(3),
    /// which takes no longer where this process is large.
    pub(crate) fn start_fast(name: &str, command: &mut Command) -> anyhow::Result<Self> {
        command.process_group(0);
        let child = command.spawn().with_context(|| format!("start {name}: {command:?}"))?;
        let pid = Pid::from_child(&child);
        Ok(Self { name: name.to_owned(), child, pid, waited: false })
    }

    /// What errors call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    pub(crate) fn tgid(&self) -> u32 {
        self.child.id()
    }

    /// Its stdin, if it is a pipe and was not taken before.
    pub(crate) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Its stdout, which must be a pipe.
    pub(crate) fn take_stdout(&mut self) -> anyhow::Result<ChildStdout> {
        self.child.stdout.take().with_context(|| format!("{} has no stdout", self.name))
    }

    /// Its stderr, which must be a pipe.
    pub(crate) fn take_stderr(&mut self) -> anyhow::Result<ChildStderr> {
        self.child.stderr.take().with_context(|| format!("{} has no stderr", self.name))
    }

    /// Sends a signal; the child is not reaped yet, so its pid is its own.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        kill_process(self.pid, signal).with_context(|| format!("send {signal:?} to {}", self.name))
    }

    /// Waits for the end, killing nobody.
    pub(crate) fn wait(&mut self, deadline: &Deadline) -> anyhow::Result<Ended> {
        self.await_end(deadline)?;
        let ended = wait4(self.pid).with_context(|| format!("wait for {}", self.name))?;
        self.waited = true;
        Ok(ended)
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&self) -> anyhow::Result<bool> {
        self.poll_end(Some(Duration::ZERO))
    }

    /// Whether it ends by itself in that time.
    pub(crate) fn ends_within(&self, time: Duration) -> anyhow::Result<bool> {
        self.poll_end(Some(time))
    }

    /// Waits on the process' own file descriptor, which turns readable at the
    /// end.
    fn await_end(&self, deadline: &Deadline) -> anyhow::Result<()> {
        loop {
            let left = deadline.remaining(format_args!("{} did not end", self.name))?;
            if self.poll_end(Some(left))? {
                return Ok(());
            }
        }
    }

    fn poll_end(&self, wait: Option<Duration>) -> anyhow::Result<bool> {
        let pidfd = pidfd_open(self.pid, PidfdFlags::empty())
            .with_context(|| format!("open a pidfd of {}", self.name))?;
        let wait = wait.map(Timespec::try_from).transpose().context("wait that long")?;
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], wait.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error).context("poll a pidfd"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The group is the child's until the child is reaped. Afterwards its
        // number may be anybody's, and a child that ended well has left nobody.
        if !self.waited {
            let _ = kill_process_group(self.pid, Signal::KILL);
            let _ = wait4(self.pid);
        }
    }
}

fn wait4(pid: Pid) -> io::Result<Ended> {
    let mut status = 0;
    // SAFETY: a `rusage` is plain numbers, and all zeros is one.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live locals of the right type.
        let waited =
            unsafe { libc::wait4(pid.as_raw_nonzero().get(), &raw mut status, 0, &raw mut usage) };
        if waited >= 0 {
            return Ok(Ended {
                status: ExitStatus::from_raw(status),
                cpu: duration(usage.ru_utime) + duration(usage.ru_stime),
                peak_rss_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
            });
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn duration(time: libc::timeval) -> Duration {
    let micros = time.tv_sec.saturating_mul(1_000_000) + time.tv_usec;
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
