//! Lines for people.

use std::io::{self, Write};

use super::{Sink, buffer::LineBuffer};
use crate::{
    model::Event,
    render::line::{self, LineStyle},
};

/// Writes events as lines for people.
#[derive(Debug)]
pub struct Terminal<W> {
    buffer: LineBuffer<W>,
    style: LineStyle,
}

impl<W: Write> Terminal<W> {
    /// Writes to `writer` in the given style.
    pub fn new(writer: W, style: LineStyle) -> Self {
        Self { buffer: LineBuffer::new(writer), style }
    }
}

impl<W: Write> Sink for Terminal<W> {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.buffer.append(|out| line::write_event(out, event, &self.style))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.buffer.flush()
    }
}
