//! Signals to this process as data (signalfd(2)): who sent one is told with it,
//! and what it would do otherwise does not happen.

use std::{
    io,
    mem::{MaybeUninit, size_of},
    os::fd::{FromRawFd as _, OwnedFd},
};

use rustix::{
    io::Errno,
    process::{Signal, getpid, kill_process},
};
use tokio::io::unix::AsyncFd;

/// Blocked signals, one after the other; they are what they were before when
/// this value is gone.
pub struct Signals {
    fd: OwnedFd,
    before: SignalMask,
}

/// Which signals a thread has blocked.
#[derive(Clone, Copy)]
pub struct SignalMask(libc::sigset_t);

impl SignalMask {
    /// Blocks those and no others for this thread. Allocates nothing, so that it
    /// may be called between fork and exec.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn set(&self) -> io::Result<()> {
        change_mask(libc::SIG_SETMASK, &self.0).map(|_| ())
    }
}

/// A signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its number.
    pub signal: i32,
    /// The process that sent it, in this process' PID namespace; `None` where
    /// the kernel did, as the terminal's driver does at Ctrl-C.
    pub sender: Option<u32>,
}

impl Signals {
    /// Blocks these signals for this thread and those that it starts from now
    /// on, threads and processes.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn block(signals: &[i32]) -> io::Result<Self> {
        let set = set_of(signals);
        let before = change_mask(libc::SIG_BLOCK, &set)?;
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        // SAFETY: the set is initialized and outlives the call.
        let fd = unsafe { libc::signalfd(-1, &raw const set, flags) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just given us this descriptor.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd, before })
    }

    /// What was blocked before: what a program is to have that knows nothing of
    /// us.
    #[must_use]
    pub const fn before(&self) -> SignalMask {
        self.before
    }

    /// What is readable when one has come; inside the event loop.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn waitable(&self) -> io::Result<AsyncFd<OwnedFd>> {
        let fd = self.fd.try_clone()?;
        // SAFETY: the descriptor is the value's own, and stays what it is.
        Ok(unsafe { AsyncFd::register(fd) }?)
    }

    /// The next one that has come; `None` where there is none.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn next(&self) -> io::Result<Option<Received>> {
        let mut room = [0; size_of::<libc::signalfd_siginfo>()];
        let count = match rustix::io::read(&self.fd, &mut room) {
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if count != room.len() {
            return Ok(None);
        }
        // SAFETY: the kernel has filled all of it, and any bytes are such a value.
        let told: libc::signalfd_siginfo =
            unsafe { room.as_ptr().cast::<libc::signalfd_siginfo>().read_unaligned() };
        // Above 0 are those of the kernel (sigaction(2), si_code).
        let is_sent = told.ssi_code <= 0;
        let signal = i32::try_from(told.ssi_signo).map_err(io::Error::other)?;
        Ok(Some(Received { signal, sender: is_sent.then_some(told.ssi_pid) }))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let _ = self.before.set();
    }
}

/// Ends this process by that signal, whatever it does about it otherwise, and
/// without a core dump. Returns where the signal does not end a process.
pub fn end_by(signal: i32) {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `none` is a valid rlimit that outlives the call. Where it is
    // refused, a core dump more is all the harm.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
    // SAFETY: the default action is one for every signal; of a number that is
    // none it is refused.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    // To this thread, which can no longer have it blocked.
    let _ = change_mask(libc::SIG_UNBLOCK, &set_of(&[signal]));
    // SAFETY: the call takes a number alone.
    unsafe { libc::raise(signal) };
}

/// Stops this process as Ctrl-Z in a terminal does, where that signal is blocked;
/// returns when it is continued, or at once where nobody could continue it. One
/// that the terminal has sent meanwhile is the same: it stops once.
///
/// # Errors
/// The kernel's refusal.
pub fn suspend_blocked() -> io::Result<()> {
    kill_process(getpid(), Signal::TSTP)?;
    let set = set_of(&[libc::SIGTSTP]);
    change_mask(libc::SIG_UNBLOCK, &set)?;
    change_mask(libc::SIG_BLOCK, &set)?;
    Ok(())
}

fn set_of(signals: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the call fills the set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: it has just been filled.
    let mut set: libc::sigset_t = unsafe { set.assume_init() };
    for signal in signals {
        // SAFETY: the set is initialized; a number that is no signal is refused.
        unsafe { libc::sigaddset(&raw mut set, *signal) };
    }
    set
}

/// What was blocked before.
fn change_mask(how: libc::c_int, set: &libc::sigset_t) -> io::Result<SignalMask> {
    let mut before = set_of(&[]);
    // SAFETY: both sets are initialized and outlive the call.
    match unsafe { libc::pthread_sigmask(how, std::ptr::from_ref(set), &raw mut before) } {
        0 => Ok(SignalMask(before)),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_signal_is_data_and_says_who_sent_it() {
        let signals = Signals::block(&[libc::SIGUSR2]).unwrap();
        assert_eq!(signals.next().unwrap(), None);
        // To this thread, which has it blocked.
        // SAFETY: the call takes a number alone.
        unsafe { libc::raise(libc::SIGUSR2) };
        let sender = Some(std::process::id());
        assert_eq!(signals.next().unwrap(), Some(Received { signal: libc::SIGUSR2, sender }));
        assert_eq!(signals.next().unwrap(), None);
        drop(signals);
        let before = change_mask(libc::SIG_BLOCK, &set_of(&[])).unwrap();
        // SAFETY: the set is initialized.
        assert_eq!(unsafe { libc::sigismember(&raw const before.0, libc::SIGUSR2) }, 0);
    }
}
