//! The task iterator: which processes there are, with what they have and have
//! used, in one read of some microseconds a process.

use std::{
    io::{self, Read as _},
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
};

use crate::kernel::syscall::{link_iterator, open_iterator};

/// Reads the processes that there are, as often as it is asked.
#[derive(Debug)]
pub struct Tasks {
    link: OwnedFd,
}

impl Tasks {
    pub(super) fn new(program: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self { link: link_iterator(program)? })
    }

    /// The processes and threads that there are now: one record of the kind
    /// `Task` or `Thread` each.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut records = Vec::new();
        open_iterator(self.link.as_fd())?.read_to_end(&mut records)?;
        Ok(records)
    }
}
