//! Numbers and bytes in few bytes: 16 bits that say what is there, then
//! numbers in groups of seven bits (LEB128), and bytes after their length.

/// How many flags and optional values a payload may have.
const BITS: u32 = 16;

/// Appends values.
pub(super) struct Encoder<'o> {
    out: &'o mut Vec<u8>,
    /// Where the bits lie in `out`.
    bits_at: usize,
    next_bit: u32,
}

impl<'o> Encoder<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        let bits_at = out.len();
        out.extend([0, 0]);
        Self { out, bits_at, next_bit: 0 }
    }

    /// A truth: one bit.
    pub(super) fn flag(&mut self, value: bool) {
        debug_assert!(self.next_bit < BITS, "a payload has more flags than there are bits");
        let at = self.bits_at + (self.next_bit / 8) as usize;
        if let Some(byte) = self.out.get_mut(at) {
            *byte |= u8::from(value) << (self.next_bit % 8);
        }
        self.next_bit += 1;
    }

    /// A number, small ones in fewer bytes.
    pub(super) fn uint(&mut self, mut value: u64) {
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            if value == 0 {
                self.out.push(low);
                return;
            }
            self.out.push(low | 0x80);
        }
    }

    /// A number with a sign; the sign goes into the lowest bit.
    pub(super) fn int(&mut self, value: i64) {
        self.uint((value << 1 ^ value >> 63).cast_unsigned());
    }

    /// A number or none.
    pub(super) fn optional(&mut self, value: Option<u64>) {
        self.flag(value.is_some());
        if let Some(value) = value {
            self.uint(value);
        }
    }

    /// Bytes or none.
    pub(super) fn optional_bytes(&mut self, value: Option<&[u8]>) {
        self.flag(value.is_some());
        if let Some(value) = value {
            self.uint(value.len() as u64);
            self.out.extend_from_slice(value);
        }
    }
}

/// Reads values in the order in which they were appended. `None` is what no
/// encoder wrote.
pub(super) struct Decoder<'a> {
    rest: &'a [u8],
    bits: u16,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let (bits, rest) = bytes.split_first_chunk()?;
        Some(Self { rest, bits: u16::from_le_bytes(*bits) })
    }

    pub(super) fn flag(&mut self) -> bool {
        let flag = self.bits & 1 != 0;
        self.bits >>= 1;
        flag
    }

    pub(super) fn uint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            let group = u64::from(byte & 0x7f);
            // The tenth group has room for one bit.
            if group << shift >> shift != group {
                return None;
            }
            value |= group << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn uint32(&mut self) -> Option<u32> {
        u32::try_from(self.uint()?).ok()
    }

    pub(super) fn int(&mut self) -> Option<i64> {
        let value = self.uint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// The outer `None` is an error, the inner one is none.
    pub(super) fn optional(&mut self) -> Option<Option<u64>> {
        if self.flag() { self.uint().map(Some) } else { Some(None) }
    }

    pub(super) fn optional32(&mut self) -> Option<Option<u32>> {
        if self.flag() { self.uint32().map(Some) } else { Some(None) }
    }

    pub(super) fn optional_bytes(&mut self) -> Option<Option<&'a [u8]>> {
        if !self.flag() {
            return Some(None);
        }
        let len = usize::try_from(self.uint()?).ok()?;
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(Some(bytes))
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}
