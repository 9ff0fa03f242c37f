//! The records themselves, in a file (`wire::recording`), beside whatever is
//! shown.

use std::{
    fs::File,
    io::{self, Write as _},
};

use crate::wire::{Counted, Surroundings, recording::Encoder};

/// Bytes that wait at most, but for the item that passes the mark.
const WRITE_AT_BYTES: usize = 64 * 1024;

/// Writes a recording.
#[derive(Debug)]
pub struct RawRecording {
    file: File,
    encoder: Encoder,
    waiting: Vec<u8>,
}

impl RawRecording {
    /// Writes to `file`; `only_in_tree` keeps only the processes that `--pid`
    /// asked for, and their descendants.
    #[must_use]
    pub fn new(file: File, around: &impl Surroundings, only_in_tree: bool) -> Self {
        let mut waiting = Vec::new();
        let encoder = Encoder::begin(&mut waiting, around, only_in_tree);
        Self { file, encoder, waiting }
    }

    /// Takes a record of a ring.
    ///
    /// # Errors
    /// Writing what waited failed.
    pub fn record(&mut self, record: &[u8], around: &impl Surroundings) -> io::Result<()> {
        self.encoder.record(&mut self.waiting, record, around);
        self.write_when_full()
    }

    /// Takes a count.
    ///
    /// # Errors
    /// Writing what waited failed.
    pub fn count(&mut self, counted: &Counted<'_>, around: &impl Surroundings) -> io::Result<()> {
        self.encoder.count(&mut self.waiting, counted, around);
        self.write_when_full()
    }

    /// Writes out what waits.
    ///
    /// # Errors
    /// Writing failed.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    fn write_when_full(&mut self) -> io::Result<()> {
        if self.waiting.len() >= WRITE_AT_BYTES { self.flush() } else { Ok(()) }
    }
}
