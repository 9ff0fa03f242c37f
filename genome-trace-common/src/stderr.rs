//! The end of what a process wrote to its standard error.

/// Bytes that are kept of a process: the last ones.
pub const STDERR_TAIL: usize = 8192;
/// Bytes that are kept of one write: its last ones.
pub const STDERR_WRITE_MAX: usize = 4096;

/// Value of the map of such ends: a ring.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StderrTail {
    /// Bytes that were ever put into the ring.
    pub written: u64,
    /// The ring, and behind it room that is never used: the verifier does not
    /// see that a copy ends with the ring.
    pub bytes: [u8; STDERR_TAIL + STDERR_WRITE_MAX],
}

const _: () = assert!(size_of::<StderrTail>() == 8 + STDERR_TAIL + STDERR_WRITE_MAX);
const _: () = assert!(STDERR_TAIL.is_power_of_two() && STDERR_WRITE_MAX.is_power_of_two());

impl StderrTail {
    /// Nothing was written.
    pub const EMPTY: Self = Self { written: 0, bytes: [0; STDERR_TAIL + STDERR_WRITE_MAX] };

    /// The two pieces of what was written last, the earlier one first.
    #[must_use]
    pub fn pieces(&self) -> [&[u8]; 2] {
        let (ring, _) = self.bytes.split_at(STDERR_TAIL);
        let end = self.written as usize % STDERR_TAIL;
        let (first, second) = ring.split_at(end);
        if self.written < STDERR_TAIL as u64 { [first, &[]] } else { [second, first] }
    }
}

#[cfg(feature = "std")]
mod pod {
    // SAFETY: `repr(C)`, a u64 and bytes, no padding (see the size above).
    unsafe impl aya::Pod for super::StderrTail {}
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    fn text(written: &[u8]) -> Vec<u8> {
        let mut tail = StderrTail::EMPTY;
        for byte in written {
            tail.bytes[tail.written as usize % STDERR_TAIL] = *byte;
            tail.written += 1;
        }
        tail.pieces().concat()
    }

    #[test]
    fn the_last_bytes_come_back_in_order() {
        assert_eq!(text(b""), b"");
        assert_eq!(text(b"abc"), b"abc");
        let long: Vec<u8> = (0..20_001_u32).map(|n| n as u8).collect();
        assert_eq!(text(&long), long[long.len() - STDERR_TAIL..]);
        assert_eq!(text(&long[..STDERR_TAIL]), long[..STDERR_TAIL]);
        assert_eq!(text(&long[..STDERR_TAIL - 1]), long[..STDERR_TAIL - 1]);
    }
}
