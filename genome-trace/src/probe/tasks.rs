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
        self.read_into(&mut records)?;
        Ok(records)
    }

    /// The same for who looks again and again, in the place of what `records`
    /// held: memory of that size, taken anew each time, would cost more than
    /// what is made of it.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn read_into(&self, records: &mut Vec<u8>) -> io::Result<()> {
        records.clear();
        open_iterator(self.link.as_fd())?.read_to_end(records)?;
        Ok(())
    }
}
