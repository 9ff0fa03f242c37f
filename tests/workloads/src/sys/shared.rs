//! Numbers that forked processes share, so that a child can report without a
//! single write call.

use std::io;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::AtomicU32;

/// A table of zeros that children of this process inherit and fill.
pub(crate) struct SharedTable {
    start: NonNull<AtomicU32>,
    len: usize,
}

impl SharedTable {
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        let len = len.max(1);
        // SAFETY: a new anonymous mapping at an address of the kernel's choice
        // touches no memory that Rust knows of.
        let address = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len * size_of::<AtomicU32>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(address.cast()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { start, len })
    }

    /// The numbers.
    pub(crate) fn slots(&self) -> &[AtomicU32] {
        // SAFETY: the mapping is page-aligned, zeroed by the kernel, `len`
        // numbers long, and lives until `drop`; other processes reach it
        // through atomics alone.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for SharedTable {
    fn drop(&mut self) {
        // SAFETY: exactly the range that `new` mapped, and no slice of it
        // outlives `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len * size_of::<AtomicU32>()) };
    }
}
