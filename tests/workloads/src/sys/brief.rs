//! Processes that do nothing but end: the least work that the kernel has for
//! one.

use std::ffi::{c_int, c_void};
use std::io;
use std::ptr;

/// More than a call that does nothing needs.
const STACK_LEN: usize = 1024;

/// Starts processes that share this one's memory and end at once, one after
/// the other.
pub(crate) struct Brief {
    /// Of a type that has the alignment of a stack.
    stack: Box<[u128; STACK_LEN]>,
}

impl Brief {
    pub(crate) fn new() -> Self {
        Self { stack: Box::new([0; STACK_LEN]) }
    }

    /// Starts one, and returns when it has ended; gives its pid, which the
    /// caller waits for.
    pub(crate) fn start(&mut self) -> io::Result<i32> {
        let top = self.stack.as_mut_ptr_range().end;
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: the child runs `end` alone, which touches no memory but the
        // stack that it is given. With CLONE_VFORK this thread stands still
        // until the child has ended, so nobody else uses that stack meanwhile.
        let pid = unsafe { libc::clone(end, top.cast(), flags, ptr::null_mut()) };
        if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(pid) }
    }
}

/// What the child runs; clone(2) in libc ends it with what this returns.
extern "C" fn end(_: *mut c_void) -> c_int {
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process::wait_for;

    #[test]
    fn each_is_a_process_of_its_own_that_has_ended_well() {
        let mut brief = Brief::new();
        let pids = [brief.start().unwrap(), brief.start().unwrap()];
        assert_ne!(pids[0], pids[1]);
        for pid in pids {
            assert_eq!(wait_for(pid).unwrap().code(), Some(0));
        }
    }
}
