//! Stopping this process as Ctrl-Z in a terminal does.

use std::{io, mem::MaybeUninit, ptr};

use rustix::process::{Signal, getpid, kill_process};

/// Stops this process by SIGTSTP with its default action, whatever handles that
/// signal otherwise; returns when it is continued. Where nobody could continue
/// it (an orphaned process group) the kernel does not stop it.
///
/// # Errors
/// The signal's action could not be changed, or it could not be sent.
pub fn suspend() -> io::Result<()> {
    // SAFETY: all zeroes are a sigaction: SIG_DFL, an empty mask, no flags.
    let default: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    let mut before = default;
    set_action(&default, Some(&mut before))?;
    let sent = kill_process(getpid(), Signal::TSTP);
    set_action(&before, None)?;
    sent.map_err(io::Error::from)
}

fn set_action(new: &libc::sigaction, old: Option<&mut libc::sigaction>) -> io::Result<()> {
    let old = old.map_or(ptr::null_mut(), ptr::from_mut);
    // SAFETY: both point to a sigaction or are null; `new` is the default action
    // or one that was in place before.
    match unsafe { libc::sigaction(libc::SIGTSTP, new, old) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
