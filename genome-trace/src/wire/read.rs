//! Reading the fixed part of a record.

use aya::Pod;

/// The value that `bytes` begins with, and what follows it; `None` where they
/// are too short.
pub(super) fn split_prefix<T: Pod>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let (head, rest) = bytes.split_at_checked(size_of::<T>())?;
    // SAFETY: `head` is exactly as long as `T`, any alignment will do, and a
    // `Pod` is valid for every bit pattern.
    Some((unsafe { std::ptr::read_unaligned(head.as_ptr().cast::<T>()) }, rest))
}

/// Cuts `len` bytes off the front.
pub(super) fn split_len(bytes: &[u8], len: u32) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(usize::try_from(len).ok()?)
}
