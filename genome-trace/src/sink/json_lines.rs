//! `--format=json`: one object a line.

use std::io::{self, Write};

use super::{Sink, buffer::LineBuffer};
use crate::{model::Event, render::json};

/// Writes events as JSON lines (docs/events.md).
#[derive(Debug)]
pub struct JsonLines<W> {
    buffer: LineBuffer<W>,
    host: String,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `writer`; `host` is this machine's name in every line.
    pub fn new(writer: W, host: impl Into<String>) -> Self {
        Self { buffer: LineBuffer::new(writer), host: host.into() }
    }
}

impl<W: Write> Sink for JsonLines<W> {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.buffer.append(|out| json::write_event(out, event, &self.host))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.buffer.flush()
    }
}
