//! Lines that wait for a reader, up to so many bytes.

use std::io::{self, ErrorKind, Write};

/// Whole lines, none of which is ever written twice or in part. What finds no
/// room is left out, and everything after it, until half of the room is free
/// again: a reader that hardly keeps up gets stretches, not crumbs.
#[derive(Debug)]
pub(super) struct Waiting {
    bytes: Vec<u8>,
    /// Bytes at the beginning that were written already.
    written: usize,
    room: usize,
    is_full: bool,
}

impl Waiting {
    /// Empty. It takes no memory before it is needed.
    pub(super) const fn new(room: usize) -> Self {
        Self { bytes: Vec::new(), written: 0, room, is_full: false }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.written)
    }

    /// Whether a line of usual length would be taken.
    pub(super) fn has_room(&self) -> bool {
        !self.is_full || self.len() <= self.room / 2
    }

    /// Lets `render` append lines; whether there was room for them.
    pub(super) fn append(&mut self, render: impl FnOnce(&mut Vec<u8>)) -> bool {
        if !self.has_room() {
            return false;
        }
        self.is_full = false;
        let before = self.bytes.len();
        render(&mut self.bytes);
        if self.len() > self.room {
            self.bytes.truncate(before);
            self.is_full = true;
        }
        !self.is_full
    }

    /// The same, beyond the room: for a few lines that must be told.
    pub(super) fn append_always(&mut self, render: impl FnOnce(&mut Vec<u8>)) {
        render(&mut self.bytes);
    }

    /// Writes what can be written without waiting; whether that was all.
    pub(super) fn write_to(&mut self, mut writer: impl Write) -> io::Result<bool> {
        let result = loop {
            let rest = self.bytes.get(self.written..).unwrap_or_default();
            if rest.is_empty() {
                break Ok(true);
            }
            match writer.write(rest) {
                Ok(0) => break Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break Ok(false),
                Err(error) => break Err(error),
            }
        };
        // What is kept is moved at most once for each byte that was written.
        if self.written >= self.len() {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
        result
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes so many bytes, then no more for now.
    struct Pipe<'a> {
        taken: &'a mut Vec<u8>,
        room: usize,
    }

    impl Write for Pipe<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room);
            if count == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.room -= count;
            self.taken.extend(bytes.iter().take(count));
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn what_was_taken_arrives_whole_and_in_order(
            steps in proptest::collection::vec((0..40_usize, 0..60_usize), 1..200),
        ) {
            const ROOM: usize = 100;
            let mut waiting = Waiting::new(ROOM);
            let (mut expected, mut taken) = (Vec::<u8>::new(), Vec::<u8>::new());
            for (number, (len, room)) in steps.into_iter().enumerate() {
                let line = format!("{number}{}\n", "x".repeat(len));
                if waiting.append(|out| out.extend(line.as_bytes())) {
                    expected.extend(line.as_bytes());
                }
                prop_assert!(waiting.len() <= ROOM);
                let all = waiting.write_to(Pipe { taken: &mut taken, room }).unwrap();
                prop_assert_eq!(all, waiting.len() == 0);
            }
            waiting.write_to(&mut taken).unwrap();
            prop_assert_eq!(taken, expected);
        }
    }

    #[test]
    fn once_full_it_takes_nothing_until_half_of_it_is_free() {
        let mut waiting = Waiting::new(100);
        let line = |out: &mut Vec<u8>| out.extend([b'x'; 40]);
        assert!(waiting.append(line));
        assert!(waiting.append(line));
        assert!(!waiting.append(line));
        // A short one would fit; it must not come without the one before it.
        assert!(!waiting.append(|out| out.push(b'x')));
        let mut taken = Vec::new();
        assert!(!waiting.write_to(Pipe { taken: &mut taken, room: 29 }).unwrap());
        assert!(!waiting.has_room());
        assert!(!waiting.write_to(Pipe { taken: &mut taken, room: 1 }).unwrap());
        assert!(waiting.has_room());
        assert!(waiting.append(line));
    }

    #[test]
    fn what_must_be_told_is_taken_beyond_the_room() {
        let mut waiting = Waiting::new(10);
        assert!(!waiting.append(|out| out.extend([b'x'; 11])));
        waiting.append_always(|out| out.extend([b'y'; 11]));
        let mut taken = Vec::new();
        assert!(waiting.write_to(&mut taken).unwrap());
        assert_eq!(taken, [b'y'; 11]);
    }
}
