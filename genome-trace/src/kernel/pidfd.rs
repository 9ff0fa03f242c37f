//! A process that is held on to, so that no other one with its number is hit
//! (pidfd_open(2)).

use std::{io, os::fd::OwnedFd, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

use super::process::is_there;
use crate::model::ProcessKey;

/// This very process, alive or not.
#[derive(Debug)]
pub struct HeldProcess {
    fd: OwnedFd,
}

impl HeldProcess {
    /// Takes hold of a process. /proc tells starts no finer than a clock tick
    /// (10 ms): a process that got the number within the very tick in which the
    /// one that is asked for began, and ended, is taken for it.
    ///
    /// # Errors
    /// `ESRCH` where it is gone; the kernel refuses.
    pub fn open(key: ProcessKey) -> io::Result<Self> {
        let gone = || io::Error::from(Errno::SRCH);
        let pid = i32::try_from(key.tgid).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
        let fd = pidfd_open(pid, PidfdFlags::empty())?;
        // It had that number after the descriptor was opened, so whoever the
        // descriptor is of, it cannot be a later one; an earlier one would be
        // older than the process that is asked for, which lived before this.
        is_there(key).then_some(Self { fd }).ok_or_else(gone)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It is gone, or the kernel refuses.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        pidfd_send_signal(&self.fd, signal).map_err(Into::into)
    }

    /// Waits for its end; whether it came in time.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn ends_within(&self, time: Duration) -> io::Result<bool> {
        let wait = Timespec {
            tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        };
        loop {
            match poll(&mut [PollFd::new(&self.fd, PollFlags::IN)], Some(&wait)) {
                Ok(ready) => return Ok(ready > 0),
                // The wait begins anew: nobody minds if it is longer.
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader},
        os::unix::process::ExitStatusExt as _,
        process::{Child, Command, Stdio},
    };

    use super::*;
    use crate::kernel::process::ProcProcess;

    fn waiting() -> (Child, ProcessKey) {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        let start_time = ProcProcess::read(child.id()).unwrap().start_ns();
        let key = ProcessKey { tgid: child.id(), start_time };
        (child, key)
    }

    #[test]
    fn it_gets_the_signal_and_is_seen_to_end() {
        let (mut child, key) = waiting();
        let held = HeldProcess::open(key).unwrap();
        assert!(!held.ends_within(Duration::ZERO).unwrap());
        held.signal(Signal::TERM).unwrap();
        assert!(held.ends_within(Duration::from_secs(60)).unwrap());
        assert_eq!(child.wait().unwrap().signal(), Some(15));
        held.signal(Signal::TERM).unwrap_err();
    }

    #[test]
    fn another_with_its_number_is_not_touched() {
        let (mut child, key) = waiting();
        let earlier = ProcessKey { start_time: key.start_time - 10_000_000_000, ..key };
        let refused = HeldProcess::open(earlier).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::ESRCH));
        child.kill().unwrap();
        child.wait().unwrap();
        HeldProcess::open(key).unwrap_err();
    }

    #[test]
    fn one_that_is_halted_has_not_ended() {
        let mut child = Command::new("sh")
            .args(["-c", "echo ready; exec sleep 1000"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let start_time = ProcProcess::read(child.id()).unwrap().start_ns();
        let held = HeldProcess::open(ProcessKey { tgid: child.id(), start_time }).unwrap();
        held.signal(Signal::STOP).unwrap();
        assert!(!held.ends_within(Duration::ZERO).unwrap());
        held.signal(Signal::KILL).unwrap();
        assert!(held.ends_within(Duration::from_secs(60)).unwrap());
        child.wait().unwrap();
    }
}
