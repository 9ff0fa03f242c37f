//! Keeping the end of what processes write to their standard error, for those
//! that userspace has asked for: a traceback is there, and nowhere else.

use aya_ebpf::helpers::generated::bpf_probe_read_user;
use genome_trace_common::{STDERR_TAIL, STDERR_WRITE_MAX};

use crate::{
    caller::Caller,
    config::config,
    maps::{STDERR_TAILS, keeps_stderr},
};

/// The descriptor, stdio.h's `STDERR_FILENO`.
pub(crate) const STDERR: u32 = 2;

/// Whether this is the system call whose bytes are kept.
#[inline(always)]
pub(crate) fn is_write(number: u64) -> bool {
    number == config!(stderr_call) as u64
}

/// Whether a process' standard error is kept.
#[inline(always)]
pub(crate) fn is_kept(caller: Caller) -> bool {
    config!(stderr_call) != u32::MAX && keeps_stderr(caller.tgid())
}

/// Keeps the last of the `length` bytes at `from` in user memory, which were
/// written. Threads that write at once may overwrite each other's.
#[inline(always)]
pub(crate) fn keep(caller: Caller, from: u64, length: u64) {
    if !is_kept(caller) {
        return;
    }
    let Some(tail) = STDERR_TAILS.get_ptr_mut(caller.tgid()) else { return };
    let skipped = length.saturating_sub(STDERR_WRITE_MAX as u64);
    let (from, length) = (from + skipped, length - skipped);
    // SAFETY: a field of a live map value; volatile because others change it.
    let written = unsafe { (&raw const (*tail).written).read_volatile() };
    let at = written as usize & (STDERR_TAIL - 1);
    let first = length.min((STDERR_TAIL - at) as u64);
    // SAFETY: a field of a live map value.
    let bytes: *mut u8 = unsafe { (&raw mut (*tail).bytes).cast() };
    copy(bytes, at, first, from);
    if first < length {
        copy(bytes, 0, length - first, from + first);
    }
    // SAFETY: as above.
    unsafe { (&raw mut (*tail).written).write_volatile(written + length) };
}

/// Copies user memory into a tail, from `at` in its ring on. What cannot be
/// read any more is zeros.
#[inline(always)]
fn copy(bytes: *mut u8, at: usize, length: u64, from: u64) {
    // One more than the largest length, so that the mask keeps that.
    let length = length as u32 & (2 * STDERR_WRITE_MAX as u32 - 1);
    if length > STDERR_WRITE_MAX as u32 {
        return;
    }
    // SAFETY: `at` is below STDERR_TAIL and `length` at most STDERR_WRITE_MAX:
    // the array has both. The helper checks the user address.
    unsafe { bpf_probe_read_user(bytes.add(at).cast(), length, from as *const core::ffi::c_void) };
}
