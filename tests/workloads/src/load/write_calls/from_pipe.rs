//! Splices from a pipe that another process keeps full.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;

use anyhow::{Context as _, ensure};
use rustix::io::Result;
use rustix::pipe::{PIPE_BUF, PipeFlags, SpliceFlags, pipe_with, splice};

use crate::sys::process::{self, Child};

/// The reading end, and the process that fills the other.
pub(in crate::load) struct FilledPipe {
    exit: OwnedFd,
    // Held for its drop: the filler ends with the pipe.
    _filler: Child,
}

impl FilledPipe {
    /// Starts a filler that writes `content` `count` times. A content that
    /// fits a pipe's atomic write keeps every splice of its length whole.
    pub(super) fn new(count: u64, content: Vec<u8>) -> anyhow::Result<Self> {
        ensure!(
            content.len() <= PIPE_BUF,
            "splice takes at most {PIPE_BUF} bytes a call, not {}",
            content.len()
        );
        let (exit, entry) = pipe_with(PipeFlags::CLOEXEC).context("make a pipe")?;
        let mut reader = Some(exit);
        let filler = process::fork(|| {
            drop(reader.take());
            let mut entry = File::from(entry);
            for _ in 0..count {
                entry.write_all(&content).context("fill the pipe")?;
            }
            Ok(0)
        })
        .context("fork a filler")?;
        Ok(Self { exit: reader.context("the pipe's reading end is gone")?, _filler: filler })
    }

    pub(super) fn splice(&self, to: &File, bytes: u32) -> Result<usize> {
        splice(&self.exit, None, to, None, bytes as usize, SpliceFlags::empty())
    }
}
