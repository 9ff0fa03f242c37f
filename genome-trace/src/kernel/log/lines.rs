//! From the bytes of a log to its records.

/// One record of the kernel's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Who wrote it (syslog(3)): 0 is the kernel. Root's processes may write
    /// to /dev/kmsg, too, but not as 0.
    pub facility: u32,
    /// How bad it is (syslog(2)): 0 is an emergency, 7 is for debugging.
    pub level: u32,
    /// Its number, from the start of the machine on.
    pub sequence: u64,
    /// When it was written, in microseconds on the log's own clock
    /// (local_clock): the monotonic one but for what NTP corrects.
    pub monotonic_us: u64,
    /// What it says, with the kernel's escapes undone.
    pub message: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads a record's first line, without its newline, and undoes the
    /// escapes in place: `6,339,5140900,-;message`, where more fields may
    /// come before the semicolon.
    fn parse(line: &'a mut [u8]) -> Option<Self> {
        let semicolon = line.iter().position(|byte| *byte == b';')?;
        let (header, rest) = line.split_at_mut(semicolon);
        let mut fields = header.split(|byte| *byte == b',');
        let prefix = number(fields.next()?)?;
        let (sequence, monotonic_us) = (number(fields.next()?)?, number(fields.next()?)?);
        let (_, message) = rest.split_first_mut()?;
        let length = unescape(message);
        Some(Self {
            facility: u32::try_from(prefix >> 3).ok()?,
            level: u32::try_from(prefix & 7).ok()?,
            sequence,
            monotonic_us,
            message: message.get(..length)?,
        })
    }
}

/// A decimal number and nothing else, so no sign.
fn number(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Undoes `\xNN` in place; tells how long the text is then.
///
/// The kernel writes so every byte that is not printable ASCII, and the
/// backslash (msg_add_ext_text in kernel/printk/printk.c).
fn unescape(text: &mut [u8]) -> usize {
    let (mut from, mut to) = (0, 0);
    while let Some(first) = text.get(from).copied() {
        let escaped = match text.get(from..from + 4) {
            Some([b'\\', b'x', high, low]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        let (byte, length) = match escaped {
            Some((high, low)) => (high << 4 | low, 4),
            None => (first, 1),
        };
        if let Some(place) = text.get_mut(to) {
            *place = byte;
        }
        from += length;
        to += 1;
    }
    to
}

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

/// No record of the kernel is longer, with all its lines (CONSOLE_EXT_LOG_MAX
/// in kernel/printk; PRINTK_MESSAGE_MAX in newer ones is less).
const ROOM: usize = 8192;

/// Bytes that were read, and have not been handed over.
///
/// A read of /dev/kmsg gives one whole record, but one of a pipe may give
/// several, or a part of one. So lines are what counts: one that begins with a
/// space continues the record before it, with what a program may want to know
/// of the device, and is dropped.
pub(super) struct Lines {
    buffer: Box<[u8; ROOM]>,
    filled: usize,
    /// The line that is coming in was too long, and is dropped to its end.
    is_skipping: bool,
    /// The record that is expected next; unknown before the first one.
    next: Option<u64>,
    /// Records were overwritten since the last one; how many is not yet known.
    was_overwritten: bool,
    lost: u64,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self {
            buffer: Box::new([0; ROOM]),
            filled: 0,
            is_skipping: false,
            next: None,
            was_overwritten: false,
            lost: 0,
        }
    }

    /// Where to read to; never empty.
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    /// `length` bytes were read into [`Lines::room`]: hands over the records
    /// that are complete.
    pub(super) fn take(&mut self, length: usize, mut on: impl FnMut(&Record<'_>)) {
        self.filled = self.filled.saturating_add(length).min(ROOM);
        let mut start = 0;
        while let Some(rest) = self.buffer.get_mut(start..self.filled) {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
            start += end + 1;
            let Some(line) = rest.get_mut(..end) else { break };
            if std::mem::take(&mut self.is_skipping) || line.first() == Some(&b' ') {
                continue;
            }
            let Some(record) = Record::parse(line) else {
                self.lost += 1;
                continue;
            };
            if std::mem::take(&mut self.was_overwritten) {
                let gap = self.next.map_or(1, |next| record.sequence.saturating_sub(next));
                self.lost = self.lost.saturating_add(gap.max(1));
            }
            self.next = Some(record.sequence.saturating_add(1));
            on(&record);
        }
        self.keep_from(start);
    }

    /// Moves what is left of the buffer to its start.
    fn keep_from(&mut self, start: usize) {
        self.buffer.copy_within(start..self.filled, 0);
        self.filled -= start;
        if self.filled == ROOM {
            let is_continuation = self.buffer.first() == Some(&b' ');
            self.lost += u64::from(!self.is_skipping && !is_continuation);
            self.is_skipping = true;
            self.filled = 0;
        } else if self.is_skipping {
            self.filled = 0;
        }
    }

    /// The records that come next were overwritten.
    pub(super) fn overwritten(&mut self) {
        self.was_overwritten = true;
    }

    /// Records that were not handed over, so far.
    pub(super) fn lost(&self) -> u64 {
        self.lost.saturating_add(u64::from(self.was_overwritten))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Puts bytes in, at most `step` at a time; gives the records as
    /// (sequence, message).
    fn feed(lines: &mut Lines, bytes: &[u8], step: usize) -> Vec<(u64, Vec<u8>)> {
        let mut records = Vec::new();
        let mut left = bytes;
        while !left.is_empty() {
            let room = lines.room();
            let length = left.len().min(step).min(room.len());
            let (now, later) = left.split_at(length);
            room[..length].copy_from_slice(now);
            left = later;
            lines.take(length, |record| records.push((record.sequence, record.message.to_vec())));
        }
        records
    }

    #[test]
    fn a_record_is_read() {
        let mut line = *b"4,1542,92875300,-;NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen";
        let record = Record::parse(&mut line).unwrap();
        assert_eq!((record.facility, record.level), (0, 4));
        assert_eq!((record.sequence, record.monotonic_us), (1542, 92_875_300));
        assert_eq!(record.message, b"NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen");
    }

    #[test]
    fn who_wrote_it_is_kept_apart_from_how_bad_it_is() {
        let mut line = *b"30,160,424069,-;systemd-devd[1]: starting";
        let record = Record::parse(&mut line).unwrap();
        assert_eq!((record.facility, record.level), (3, 6));
    }

    #[test]
    fn more_fields_are_skipped_and_a_message_may_have_semicolons() {
        let mut line = *b"6,5,7,c,caller=T12,new=1;a; b, c";
        assert_eq!(Record::parse(&mut line).unwrap().message, b"a; b, c");
        assert_eq!(Record::parse(&mut b"6,5,7,-;".to_vec()).unwrap().message, b"");
    }

    #[test]
    fn escapes_are_undone_and_what_is_none_stays() {
        let mut line = br"6,5,7,-;a\x09b \xc3\xa4 \x5cx41 \x4 \xzz \".to_vec();
        let record = Record::parse(&mut line).unwrap();
        assert_eq!(record.message, "a\tb ä \\x41 \\x4 \\xzz \\".as_bytes());
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for line in ["", ";", "6,5;x", "6,5,-7,-;x", "+6,5,7,-;x", ",,,;x", "6,5,7,-"] {
            assert_eq!(Record::parse(&mut line.as_bytes().to_vec()), None, "{line}");
        }
        let mut too_large = b"99999999999999999999,5,7,-;x".to_vec();
        assert_eq!(Record::parse(&mut too_large), None);
    }

    #[test]
    fn lines_that_continue_a_record_are_dropped() {
        let bytes = b"6,1,1,-;one\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:01.0\n6,2,2,-;two\n";
        let expected = vec![(1, b"one".to_vec()), (2, b"two".to_vec())];
        for step in [1, 2, 7, bytes.len()] {
            let mut lines = Lines::new();
            assert_eq!(feed(&mut lines, bytes, step), expected);
            assert_eq!(lines.lost(), 0);
        }
    }

    #[test]
    fn what_was_overwritten_is_counted_by_the_gap() {
        let mut lines = Lines::new();
        feed(&mut lines, b"6,100,1,-;a\n", 99);
        lines.overwritten();
        assert_eq!(lines.lost(), 1, "at least one is known at once");
        lines.overwritten();
        feed(&mut lines, b"6,105,2,-;b\n6,106,3,-;c\n", 99);
        assert_eq!(lines.lost(), 4);
    }

    #[test]
    fn what_was_overwritten_before_the_first_record_counts_as_one() {
        let mut lines = Lines::new();
        lines.overwritten();
        feed(&mut lines, b"6,105,2,-;b\n", 99);
        assert_eq!(lines.lost(), 1);
    }

    #[test]
    fn a_line_that_is_too_long_is_dropped_and_counted_once() {
        let mut bytes = b"6,1,1,-;".to_vec();
        bytes.resize(3 * ROOM, b'x');
        bytes.extend(b"\n6,2,2,-;two\n");
        for step in [1000, ROOM] {
            let mut lines = Lines::new();
            assert_eq!(feed(&mut lines, &bytes, step), [(2, b"two".to_vec())]);
            assert_eq!(lines.lost(), 1);
        }
    }

    #[test]
    fn a_line_that_cannot_be_understood_is_counted() {
        let mut lines = Lines::new();
        assert_eq!(feed(&mut lines, b"what?\n6,2,2,-;two\n", 99), [(2, b"two".to_vec())]);
        assert_eq!(lines.lost(), 1);
    }

    /// What the kernel does to a message.
    fn escape(message: &[u8]) -> Vec<u8> {
        let mut escaped = Vec::new();
        for byte in message {
            match byte {
                b' '..=b'~' if *byte != b'\\' => escaped.push(*byte),
                _ => escaped.extend(format!("\\x{byte:02x}").bytes()),
            }
        }
        escaped
    }

    proptest! {
        #[test]
        fn any_line_is_a_record_or_none(mut line in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Record::parse(&mut line);
        }

        #[test]
        fn any_bytes_in_any_pieces_are_taken(
            bytes in prop::collection::vec(prop::sample::select(b"06,;- \n\\xa1".to_vec()), 0..400),
            step in 1usize..50,
        ) {
            let mut whole = Lines::new();
            let mut pieces = Lines::new();
            prop_assert_eq!(
                feed(&mut whole, &bytes, ROOM),
                feed(&mut pieces, &bytes, step)
            );
            prop_assert_eq!(whole.lost(), pieces.lost());
        }

        #[test]
        fn what_the_kernel_escapes_comes_back(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..60),
            step in 1usize..9000,
        ) {
            let mut bytes = Vec::new();
            for (at, message) in messages.iter().enumerate() {
                bytes.extend(format!("6,{at},5,-;").bytes());
                bytes.extend(escape(message));
                bytes.push(b'\n');
            }
            let records = feed(&mut Lines::new(), &bytes, step);
            let back: Vec<Vec<u8>> = records.into_iter().map(|(_, message)| message).collect();
            prop_assert_eq!(back, messages);
        }
    }
}
