//! What goes on beside a run: signals are handed on, a stopped command stops
//! us, and its end is seen.
//!
//! The command has our terminal and our process group, so what the terminal
//! sends reaches it as it is, and is none of our business. What somebody sends
//! to us alone is meant for the command.

use std::{cell::Cell, fs::File, io, time::Duration};

use anyhow::Context as _;
use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions, getpgid, getpgrp, kill_process, waitpid},
    termios::tcgetpgrp,
};
use tokio::time::{Instant, interval};

use crate::{
    kernel::signals::{Received, SignalMask, Signals, suspend_blocked},
    model::Ending,
};

/// How long those may take to end that the command has left behind while they
/// were ending: one that it has killed and did not wait for.
const SETTLE: Duration = Duration::from_millis(100);
/// How often it is looked who is left.
const LEFT: Duration = Duration::from_millis(5);
/// How often they are asked for where that may have been lost.
const MISSED: Duration = Duration::from_secs(1);

/// Signals, from before the command until after it.
pub(super) struct Conductor {
    signals: Signals,
    interrupted: Cell<bool>,
}

impl Conductor {
    /// From now on no signal that could be meant for the command ends this
    /// process. To be called before there is another thread.
    pub(super) fn new() -> anyhow::Result<Self> {
        // SIGTTIN and SIGTTOU stop us with the command.
        let signals = Signals::block(&[
            libc::SIGCHLD,
            libc::SIGINT,
            libc::SIGQUIT,
            libc::SIGTERM,
            libc::SIGHUP,
            libc::SIGUSR1,
            libc::SIGUSR2,
            libc::SIGTSTP,
            libc::SIGCONT,
        ]);
        let signals = signals.context("cannot take signals for the command")?;
        Ok(Self { signals, interrupted: Cell::new(false) })
    }

    /// Which signals the command is to have blocked: those that are not our
    /// doing.
    pub(super) const fn mask(&self) -> SignalMask {
        self.signals.before()
    }

    /// Somebody wants an end to all of it.
    pub(super) fn was_interrupted(&self) -> bool {
        self.interrupted.get()
    }

    /// Waits for the command's end.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub(super) async fn attend(&self, pid: u32) -> io::Result<Ending> {
        let signals = self.signals.waitable()?;
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
        let mut command = Command { pid, is_stopped: false, stop_was_asked: false };
        loop {
            if let Some(ending) = command.look()? {
                return Ok(ending);
            }
            signals.readable().await?.clear_ready();
            while let Some(received) = self.signals.next()? {
                self.note(received);
                command.hand_on(received);
            }
        }
    }

    /// Waits until `is_over`, which is asked again and again, `missed` seldom:
    /// not for long where `patience` is given, else until somebody wants an end
    /// to it.
    pub(super) async fn await_rest(
        &self,
        patience: bool,
        is_over: impl Fn() -> bool,
        is_over_after_all: impl Fn() -> bool,
    ) -> io::Result<()> {
        let signals = self.signals.waitable()?;
        let until = Instant::now() + SETTLE;
        let mut looks = interval(LEFT);
        let mut missed = interval(MISSED);
        missed.reset();
        while !is_over() {
            tokio::select! {
                _ = looks.tick() => if !patience && Instant::now() >= until { break },
                _ = missed.tick() => if is_over_after_all() { break },
                ready = signals.readable() => {
                    ready?.clear_ready();
                    let mut has_enough = false;
                    while let Some(received) = self.signals.next()? {
                        has_enough |= self.note(received);
                    }
                    if has_enough {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether it asks for an end.
    fn note(&self, received: Received) -> bool {
        let ends = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];
        let is_end = ends.contains(&received.signal);
        self.interrupted.set(self.interrupted.get() || is_end);
        is_end
    }
}

/// The command's process, which is our child.
struct Command {
    pid: Pid,
    is_stopped: bool,
    /// We were asked to stop, too.
    stop_was_asked: bool,
}

impl Command {
    /// Its end, where it has come. One that has stopped stops us.
    fn look(&mut self) -> io::Result<Option<Ending>> {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED;
        loop {
            let status = match waitpid(Some(self.pid), options) {
                Ok(None) => return Ok(None),
                Ok(Some((_, status))) => status,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            if status.stopped() {
                self.is_stopped = true;
                self.stop_with_it();
            } else if status.continued() {
                self.is_stopped = false;
            } else {
                return Ok(Some(Ending::from_wait_status(status.as_raw().cast_unsigned())));
            }
        }
    }

    /// The shell, whose child we are, is to see a stopped job; else whoever had
    /// the terminal would wait for ever. Not where nobody but we would notice.
    fn stop_with_it(&mut self) {
        if std::mem::take(&mut self.stop_was_asked) || has_terminal() {
            // Where that fails the run goes on.
            let _ = suspend_blocked();
            // Whoever has continued us means the command.
            self.go_on();
        }
    }

    fn go_on(&mut self) {
        if std::mem::take(&mut self.is_stopped) {
            self.send(Signal::CONT);
        }
    }

    fn hand_on(&mut self, received: Received) {
        let Received { signal, sender } = received;
        match signal {
            libc::SIGCONT => self.go_on(),
            libc::SIGTSTP => self.stop_was_asked = true,
            _ => {}
        }
        let is_for_it = match signal {
            libc::SIGCHLD | libc::SIGCONT => false,
            // Many send those to the whole group, which has the command in it,
            // and a second Ctrl-C says more than one.
            libc::SIGINT | libc::SIGQUIT | libc::SIGTSTP => {
                sender.is_some_and(|sender| !is_of_our_group(sender))
            }
            // It has what it has sent to its group.
            _ => sender.is_some_and(|sender| Pid::from_raw(sender.cast_signed()) != Some(self.pid)),
        };
        if let (true, Some(signal)) = (is_for_it, Signal::from_named_raw(signal)) {
            self.send(signal);
        }
    }

    /// It is not waited for yet, so its number is no other's.
    fn send(&self, signal: Signal) {
        // One that has ended needs it no more; another user's is a matter of
        // our rights, which the sender lacked as well.
        let _ = kill_process(self.pid, signal);
    }
}

fn is_of_our_group(pid: u32) -> bool {
    let pid = Pid::from_raw(pid.cast_signed());
    pid.is_some_and(|pid| getpgid(Some(pid)).is_ok_and(|group| group == getpgrp()))
}

/// Whether this process' group is the one that the terminal belongs to now.
fn has_terminal() -> bool {
    File::open("/dev/tty")
        .is_ok_and(|terminal| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()))
}
