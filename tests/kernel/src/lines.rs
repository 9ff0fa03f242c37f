//! A child's output, read line by line by a thread so that the child never
//! waits for the trial.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;

use anyhow::Context as _;

use crate::Deadline;

/// The lines of a stream as they come.
pub(crate) struct Lines {
    name: &'static str,
    lines: Receiver<String>,
}

impl Lines {
    /// Reads `stream` to its end. `name` is what errors call it.
    pub(crate) fn of(
        name: &'static str,
        stream: impl Read + Send + 'static,
    ) -> anyhow::Result<Self> {
        let (send, lines) = channel();
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let mut stream = BufReader::with_capacity(1 << 16, stream);
                let mut line = Vec::new();
                while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                    let text = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
                    if send.send(text).is_err() {
                        return;
                    }
                    line.clear();
                }
            })
            .with_context(|| format!("start a reader of {name}"))?;
        Ok(Self { name, lines })
    }

    /// The next line, or none at the stream's end.
    pub(crate) fn next(&self, deadline: &Deadline) -> anyhow::Result<Option<String>> {
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
    pub(crate) fn rest(&self, deadline: &Deadline) -> anyhow::Result<Vec<String>> {
        let mut lines = Vec::new();
        while let Some(line) = self.next(deadline)? {
            lines.push(line);
        }
        Ok(lines)
    }
}
