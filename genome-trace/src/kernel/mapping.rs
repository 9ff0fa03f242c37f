//! Memory that is shared with the kernel.

use std::{io, os::fd::RawFd, ptr::NonNull};

/// A mapping that is unmapped with its owner.
pub struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

impl Mapping {
    /// Maps `len` bytes of a descriptor from `offset` on; `protection` is a
    /// set of `PROT_*`.
    ///
    /// # Errors
    /// The kernel's refusal, see mmap(2).
    pub fn new(fd: RawFd, len: usize, protection: libc::c_int, offset: usize) -> io::Result<Self> {
        Self::map(fd, len, protection, libc::MAP_SHARED, offset)
    }

    /// Maps the first `len` bytes of a descriptor to be read by this process
    /// alone, which is the only way that some files may be mapped.
    ///
    /// # Errors
    /// The kernel's refusal, see mmap(2).
    pub fn private(fd: RawFd, len: usize) -> io::Result<Self> {
        Self::map(fd, len, libc::PROT_READ, libc::MAP_PRIVATE, 0)
    }

    fn map(
        fd: RawFd,
        len: usize,
        protection: libc::c_int,
        sharing: libc::c_int,
        offset: usize,
    ) -> io::Result<Self> {
        let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
        // SAFETY: a new mapping at an address of the kernel's choice touches
        // no memory that Rust knows of.
        let start =
            unsafe { libc::mmap(std::ptr::null_mut(), len, protection, sharing, fd, offset) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at 0"))?;
        Ok(Self { start, len })
    }

    /// Its first byte; the mapping starts at a page.
    #[must_use]
    pub const fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no byte; the kernel makes no such mapping.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

// SAFETY: plain memory that belongs to the mapping, at the same address for
// every thread.
unsafe impl Send for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: made by `mmap` with this length; all references into it are
        // bound to `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}
