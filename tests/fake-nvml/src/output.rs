//! What callers hand over to be read or filled. A null pointer is an invalid
//! argument; that any other one is good is the caller's promise, made where it
//! is wrapped.

use std::ffi::{CStr, c_char, c_uint};
use std::ptr;

use crate::answer::{Answer, Refusal};

/// Room for one value.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Safety
    ///
    /// While it lives the pointer must be null, or valid for writes, and for
    /// reads if `get` is called.
    pub(crate) const unsafe fn new(pointer: *mut T) -> Self {
        Self(pointer)
    }

    fn checked(&self) -> Answer<*mut T> {
        let good = !self.0.is_null() && self.0.is_aligned();
        good.then_some(self.0).ok_or(Refusal::INVALID_ARGUMENT)
    }

    /// Puts the value there.
    pub(crate) fn set(&self, value: T) -> Answer {
        let pointer = self.checked()?;
        // SAFETY: not null and aligned; valid for writes, as `new` asks.
        unsafe { pointer.write(value) };
        Ok(())
    }

    /// What the caller has put there.
    pub(crate) fn get(&self) -> Answer<T>
    where
        T: Copy,
    {
        let pointer = self.checked()?;
        // SAFETY: not null and aligned; valid for reads, as `new` asks.
        Ok(unsafe { pointer.read() })
    }
}

/// Room for a text that ends in NUL.
pub(crate) struct TextOut {
    buffer: *mut c_char,
    length: usize,
}

impl TextOut {
    /// # Safety
    ///
    /// While it lives the pointer must be null, or valid for writes of
    /// `length` bytes.
    pub(crate) unsafe fn new(buffer: *mut c_char, length: c_uint) -> Self {
        Self { buffer, length: usize::try_from(length).unwrap_or(0) }
    }

    /// Puts the text there, if there is room for it.
    pub(crate) fn set(&self, text: &str) -> Answer {
        if self.buffer.is_null() {
            return Err(Refusal::INVALID_ARGUMENT);
        }
        if text.len() >= self.length {
            return Err(Refusal::INSUFFICIENT_SIZE);
        }
        // SAFETY: valid for `length` bytes, as `new` asks, which are more than
        // the text has; a text of ours does not overlap the caller's room.
        unsafe { ptr::copy_nonoverlapping(text.as_ptr(), self.buffer.cast(), text.len()) };
        let end = self.buffer.wrapping_add(text.len());
        // SAFETY: within the same room, as said above.
        unsafe { end.write(0) };
        Ok(())
    }
}

/// Room for as many values as a count says.
pub(crate) struct ListOut<T> {
    count: Out<c_uint>,
    values: *mut T,
}

impl<T> ListOut<T> {
    /// # Safety
    ///
    /// While it lives `count` must be null or valid for reads and writes, and
    /// `values` null or valid for writes of as many values as stand there.
    pub(crate) const unsafe fn new(count: *mut c_uint, values: *mut T) -> Self {
        // SAFETY: as this function asks.
        Self { count: unsafe { Out::new(count) }, values }
    }

    /// Puts the values there, and how many they are. Where there is no room
    /// for them, only how many: that is how callers ask.
    pub(crate) fn set(&self, values: &[T]) -> Answer {
        let room = usize::try_from(self.count.get()?).unwrap_or(usize::MAX);
        self.count.set(c_uint::try_from(values.len()).map_err(|_| Refusal::UNKNOWN)?)?;
        if values.is_empty() {
            return Ok(());
        }
        if room < values.len() || self.values.is_null() {
            return Err(Refusal::INSUFFICIENT_SIZE);
        }
        if !self.values.is_aligned() {
            return Err(Refusal::INVALID_ARGUMENT);
        }
        // SAFETY: not null, aligned, and valid for `room` values, as `new`
        // asks; a slice of ours does not overlap the caller's room.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), self.values, values.len()) };
        Ok(())
    }
}

/// A text that the caller hands over.
///
/// # Safety
///
/// The pointer must be null, or point to a text that ends in NUL and stays as
/// it is for `'a`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char) -> Answer<&'a str> {
    if pointer.is_null() {
        return Err(Refusal::INVALID_ARGUMENT);
    }
    // SAFETY: not null; the rest is asked of the caller.
    unsafe { CStr::from_ptr(pointer) }.to_str().map_err(|_| Refusal::INVALID_ARGUMENT)
}

/// The text with NULs after it, cut where it is too long for the field.
pub(crate) fn field<const N: usize>(text: &str) -> [c_char; N] {
    let mut field = [0; N];
    let room = N.saturating_sub(1);
    for (to, from) in field.iter_mut().zip(text.bytes().take(room)) {
        *to = c_char::from_ne_bytes([from]);
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_refused() {
        // SAFETY: null is allowed.
        let value = unsafe { Out::<u32>::new(ptr::null_mut()) };
        assert_eq!(value.set(1), Err(Refusal::INVALID_ARGUMENT));
        assert_eq!(value.get(), Err(Refusal::INVALID_ARGUMENT));
        // SAFETY: null is allowed.
        let room = unsafe { TextOut::new(ptr::null_mut(), 8) };
        assert_eq!(room.set("a"), Err(Refusal::INVALID_ARGUMENT));
        // SAFETY: null is allowed.
        assert_eq!(unsafe { text(ptr::null()) }, Err(Refusal::INVALID_ARGUMENT));
    }

    #[test]
    fn text_needs_room_for_its_end() {
        let mut buffer = [1; 4];
        // SAFETY: as many bytes as it has.
        let exact = unsafe { TextOut::new(buffer.as_mut_ptr(), 4) };
        assert_eq!(exact.set("abcd"), Err(Refusal::INSUFFICIENT_SIZE));
        assert_eq!(exact.set("abc"), Ok(()));
        assert_eq!(buffer, field::<4>("abc"));
        assert_eq!(field::<4>("abcdef"), field::<4>("abc"));
    }

    #[test]
    fn lists_are_asked_for_twice() {
        let (mut count, mut values) = (0, [0_u8; 4]);
        let count = &raw mut count;
        // SAFETY: a local variable.
        let counted = unsafe { Out::new(count) };
        // SAFETY: a local variable, and room for nothing.
        let ask = unsafe { ListOut::<u8>::new(count, ptr::null_mut()) };
        assert_eq!(ask.set(&[7, 8, 9]), Err(Refusal::INSUFFICIENT_SIZE));
        assert_eq!(counted.get(), Ok(3));
        // SAFETY: a local variable that is 3 now, and room for 4.
        let take = unsafe { ListOut::new(count, values.as_mut_ptr()) };
        assert_eq!(take.set(&[7, 8, 9]), Ok(()));
        assert_eq!(take.set(&[1, 2, 3, 4]), Err(Refusal::INSUFFICIENT_SIZE));
        assert_eq!(take.set(&[]), Ok(()));
        assert_eq!(counted.get(), Ok(0));
        assert_eq!(values, [7, 8, 9, 0]);
    }
}
