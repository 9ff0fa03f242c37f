//! One process waits until another lets it through.
//!
//! The gate is a pipe that nobody writes to: it opens when the last copy of
//! its key, the writing end, is closed. So neither side's count of writes is
//! touched.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::{read, retry_on_intr};
use rustix::pipe::{PipeFlags, pipe_with};

/// A closed gate. Made before a fork, it is there on both sides: one side
/// waits, the other opens, or ends.
pub(crate) struct Gate {
    entry: OwnedFd,
    key: Option<OwnedFd>,
}

impl Gate {
    pub(crate) fn new() -> io::Result<Self> {
        let (entry, key) = pipe_with(PipeFlags::CLOEXEC)?;
        Ok(Self { entry, key: Some(key) })
    }

    /// Lets the other process through.
    pub(crate) fn open(&mut self) {
        self.key = None;
    }

    /// Gives up this process' key and waits for the other one's.
    pub(crate) fn wait(&mut self) -> io::Result<()> {
        self.key = None;
        let mut nothing = [0_u8; 1];
        retry_on_intr(|| read(&self.entry, &mut nothing))?;
        Ok(())
    }
}
