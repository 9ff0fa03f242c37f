//! A buffer of whole lines before a writer.

use std::io::{self, ErrorKind, Write};

/// Bytes that wait at most, but for the line that passes the mark.
const WRITE_AT_BYTES: usize = 64 * 1024;

/// Collects lines and writes them out together. `BufWriter` would split a
/// line at its size, so that a reader sees half of it until the next flush.
#[derive(Debug)]
pub(super) struct LineBuffer<W> {
    writer: W,
    lines: Vec<u8>,
}

impl<W: Write> LineBuffer<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer, lines: Vec::with_capacity(WRITE_AT_BYTES) }
    }

    /// Lets `render` append a line, and writes when there are enough.
    pub(super) fn append(&mut self, render: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        render(&mut self.lines);
        if self.lines.len() >= WRITE_AT_BYTES { self.write_out() } else { Ok(()) }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.write_out()?;
        self.writer.flush()
    }

    /// Unlike `write_all`, remembers on failure what was written before it,
    /// so that nothing is ever written twice.
    fn write_out(&mut self) -> io::Result<()> {
        let mut written = 0;
        let result = loop {
            let rest = self.lines.get(written..).unwrap_or_default();
            if rest.is_empty() {
                break Ok(());
            }
            match self.writer.write(rest) {
                Ok(0) => break Err(ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.lines.drain(..written.min(self.lines.len()));
        result
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Takes `room` bytes, five at a time, then fails.
    #[derive(Default)]
    struct Narrow {
        taken: Vec<u8>,
        room: usize,
        writes: usize,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.writes += 1;
            let count = bytes.len().min(5).min(self.room - self.taken.len());
            if count == 0 {
                return Err(ErrorKind::BrokenPipe.into());
            }
            self.taken.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_wait_until_flushed() {
        let mut buffer = LineBuffer::new(Vec::new());
        buffer.append(|out| out.extend(b"one\n")).unwrap();
        assert!(buffer.writer.is_empty());
        buffer.flush().unwrap();
        assert_eq!(buffer.writer, b"one\n");
    }

    #[test]
    fn a_full_buffer_is_written_in_whole_lines() {
        let mut buffer = LineBuffer::new(Vec::new());
        let line = [b'x'; 1000];
        for _ in 0..65 {
            buffer.append(|out| out.extend(line)).unwrap();
            assert!(buffer.writer.is_empty());
        }
        buffer.append(|out| out.extend(line)).unwrap();
        assert_eq!(buffer.writer.len(), 66_000);
    }

    #[test]
    fn after_a_failure_nothing_is_written_twice() {
        let mut buffer = LineBuffer::new(Narrow { room: 7, ..Narrow::default() });
        buffer.append(|out| out.extend(b"one\ntwo\n")).unwrap();
        assert_eq!(buffer.flush().unwrap_err().kind(), ErrorKind::BrokenPipe);
        buffer.writer.room = 100;
        buffer.append(|out| out.extend(b"three\n")).unwrap();
        buffer.flush().unwrap();
        assert_eq!(buffer.writer.taken, b"one\ntwo\nthree\n");
    }
}
