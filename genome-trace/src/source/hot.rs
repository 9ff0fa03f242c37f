//! The counts of the busiest files, which the kernel side keeps in front of
//! the maps of counts (genome-trace-ebpf/src/hot.rs), read in place.

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd as _},
    ptr::NonNull,
};

use aya::maps::MapData;
use genome_trace_common::{HOT_LINES, HOT_TABLES, HotCount};

use crate::kernel::mapping::Mapping;

/// Counts that an epoch has room for, on so many processors.
#[must_use]
pub fn hot_counts(processors: u32) -> u32 {
    let of_one = u32::try_from(HOT_TABLES * HOT_LINES).unwrap_or(u32::MAX);
    processors.saturating_mul(of_one)
}

/// The map, mapped.
pub struct Hot {
    mapping: Mapping,
    /// Counts that each of the two epochs has.
    counts: usize,
}

impl Hot {
    /// Maps a map that has room for twice the [`hot_counts`] of so many
    /// processors.
    ///
    /// # Errors
    /// The kernel's refusal to map it.
    pub fn new(map: &MapData, processors: u32, page_size: u64) -> io::Result<Self> {
        let counts = usize::try_from(hot_counts(processors)).map_err(io::Error::other)?;
        let page = usize::try_from(page_size).map_err(io::Error::other)?;
        let len = (2 * counts * size_of::<HotCount>()).next_multiple_of(page);
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let mapping = Mapping::new(map.fd().as_fd().as_raw_fd(), len, protection, 0)?;
        Ok(Self { mapping, counts })
    }

    /// Hands over each count of an epoch, and empties it. No program may be
    /// using it any more.
    pub fn take(&mut self, epoch: u32, mut handle: impl FnMut(HotCount)) {
        let first = if epoch & 1 == 0 { 0 } else { self.counts };
        let start: NonNull<HotCount> = self.mapping.start().cast();
        for index in first..first + self.counts {
            // SAFETY: the mapping has room for twice `counts`.
            let place = unsafe { start.add(index) };
            // SAFETY: integers at an aligned address (a page's start and
            // whole lines), which nobody writes now.
            let count = unsafe { place.read_volatile() };
            if count.key.counted != 0 {
                // SAFETY: as above; all zeroes is an empty place.
                unsafe { place.write_bytes(0, 1) };
                handle(count);
            }
        }
    }
}
