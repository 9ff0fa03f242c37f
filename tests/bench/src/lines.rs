//! A child's output, read by a thread so that the child never waits for us,
//! each line with the time that it came at.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;

use anyhow::Context as _;

use crate::clock::monotonic_ns;
use crate::deadline::Deadline;

/// A line, and when it was read.
pub(crate) struct Line {
    /// `CLOCK_MONOTONIC`, in nanoseconds.
    pub(crate) at_ns: u64,
    /// Without its end.
    pub(crate) text: String,
}

/// The lines of a stream as they come.
pub(crate) struct Lines {
    name: String,
    lines: Receiver<Line>,
}

impl Lines {
    /// Reads `stream` to its end. `name` is what errors call it.
    pub(crate) fn of(name: &str, stream: impl Read + Send + 'static) -> anyhow::Result<Self> {
        let (send, lines) = channel();
        thread::Builder::new()
            .name("lines".to_owned())
            .spawn(move || {
                let mut stream = BufReader::with_capacity(1 << 16, stream);
                let mut line = Vec::new();
                while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                    let text = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
                    if send.send(Line { at_ns: monotonic_ns(), text }).is_err() {
                        return;
                    }
                    line.clear();
                }
            })
            .with_context(|| format!("start a reader of {name}"))?;
        Ok(Self { name: name.to_owned(), lines })
    }

    /// The next line, or none at the stream's end.
    pub(crate) fn next(&self, deadline: &Deadline) -> anyhow::Result<Option<Line>> {
        let left = deadline.remaining(format_args!("{} has no line", self.name))?;
        match self.lines.recv_timeout(left) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                deadline.remaining(format_args!("{} has no line and no end", self.name))?;
                Ok(None)
            }
        }
    }

    /// Everything up to the stream's end.
    pub(crate) fn rest(&self, deadline: &Deadline) -> anyhow::Result<Vec<Line>> {
        let mut lines = Vec::new();
        while let Some(line) = self.next(deadline)? {
            lines.push(line);
        }
        Ok(lines)
    }
}
