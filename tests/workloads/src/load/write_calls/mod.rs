//! The ways to write to a file, each told apart by the kernel.
//!
//! What a call needs beside the file (a source to copy from, a pipe that is
//! kept full) is prepared by the parent, so that the worker does nothing but
//! the calls.

mod buffer;
mod from_file;
mod from_pipe;
mod ring;

use std::fs::File;
use std::path::Path;

use anyhow::ensure;

use crate::cli::{WriteCall, WriteStorm};
use from_file::Source;
use from_pipe::FilledPipe;

/// Where the written bytes come from.
pub(crate) enum Supply {
    Buffer(Vec<u8>),
    Source(Source),
    Pipe(FilledPipe),
}

impl Supply {
    /// Makes what the calls need; `path` is the file that they will write to.
    pub(crate) fn prepare(args: &WriteStorm, path: &Path) -> anyhow::Result<Self> {
        let bytes = vec![b'.'; args.bytes as usize];
        Ok(match args.call {
            WriteCall::Write | WriteCall::Pwrite | WriteCall::Writev | WriteCall::Pwritev2 => {
                Self::Buffer(bytes)
            }
            WriteCall::Sendfile => Self::Source(Source::in_memory(&bytes)?),
            WriteCall::CopyFileRange => Self::Source(Source::beside(path, &bytes)?),
            WriteCall::Splice => Self::Pipe(FilledPipe::new(args.count, bytes)?),
            WriteCall::IoUring => {
                ring::probe()?;
                Self::Buffer(bytes)
            }
        })
    }

    /// Does `count` calls that write `bytes` bytes each, no more and no fewer.
    pub(crate) fn write_all(&self, file: &File, args: &WriteStorm) -> anyhow::Result<()> {
        match self {
            Self::Buffer(bytes) => match args.call {
                WriteCall::IoUring => ring::write_all(file, bytes, args.count),
                WriteCall::Pwrite => repeat(args, |offset| buffer::pwrite(file, bytes, offset)),
                WriteCall::Pwritev2 => repeat(args, |offset| buffer::pwritev2(file, bytes, offset)),
                WriteCall::Writev => repeat(args, |_| buffer::writev(file, bytes)),
                _ => repeat(args, |_| buffer::write(file, bytes)),
            },
            Self::Source(source) => match args.call {
                WriteCall::Sendfile => repeat(args, |_| source.sendfile(file, args.bytes)),
                _ => repeat(args, |offset| source.copy_file_range(file, offset, args.bytes)),
            },
            Self::Pipe(pipe) => repeat(args, |_| pipe.splice(file, args.bytes)),
        }
    }
}

fn repeat(
    args: &WriteStorm,
    mut write: impl FnMut(u64) -> rustix::io::Result<usize>,
) -> anyhow::Result<()> {
    let bytes = u64::from(args.bytes);
    for call in 0..args.count {
        let written = write(call * bytes)?;
        ensure!(written as u64 == bytes, "call {call} wrote {written} bytes, not {bytes}");
    }
    Ok(())
}
