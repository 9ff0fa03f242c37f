//! The counts of the busiest files: in front of the maps of counts, a small
//! table for each program and processor that is looked up without a call.
//!
//! The kernel does not run a program while it runs already on that processor,
//! so a table has one writer at a time, and a count is two plain additions.
//! Nothing is ever driven out: the first two files that share a line have it
//! until the epoch ends, and what finds no room is counted in the map. Every
//! entry has one in the map too, which the file's name goes with; userspace
//! adds the two up.

use aya_ebpf::helpers::bpf_get_smp_processor_id;
use genome_trace_common::{ABSENT, FileKey, HOT_LINES, HOT_TABLES, HotCount};

use crate::{
    config::{config, fact},
    maps::HOT,
};

/// A program's table. Programs on one hook that stand in for each other have
/// one each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Table(u32);

impl Table {
    pub(crate) const FIRST: Self = Self(0);
    pub(crate) const SECOND: Self = Self(1);
    pub(crate) const THIRD: Self = Self(2);
    pub(crate) const FOURTH: Self = Self(3);
    /// For programs that see too little to need one.
    pub(crate) const NONE: Self = Self(HOT_TABLES as u32);

    /// Whether the program has a table on this kernel.
    #[inline(always)]
    fn is_there(self) -> bool {
        self != Self::NONE && fact!(prog_active) != ABSENT
    }

    /// The line of a key: a place for two counts.
    #[inline(always)]
    fn line(self, epoch: u32, key: &FileKey) -> u32 {
        // SAFETY: the helper has no precondition.
        let cpu = unsafe { bpf_get_smp_processor_id() };
        let table = (epoch * config!(processors) + cpu) * HOT_TABLES as u32 + self.0;
        let mixed = (key.inode as u32 ^ key.tgid).wrapping_mul(0x9e37_79b1);
        table * HOT_LINES as u32 + (mixed >> 24) % HOT_LINES as u32
    }

    /// Adds a call to a count that is in the table.
    #[inline(always)]
    pub(crate) fn bump(self, epoch: u32, key: &FileKey, bytes: u64) -> bool {
        if !self.is_there() {
            return false;
        }
        let line = self.line(epoch, key);
        bump(line, key, bytes) || bump(line ^ 1, key, bytes)
    }

    /// Makes room for a count that was just begun in the map, if there is any.
    #[inline(always)]
    pub(crate) fn enter(self, epoch: u32, key: &FileKey) {
        if !self.is_there() {
            return;
        }
        let line = self.line(epoch, key);
        if !enter(line, key) {
            enter(line ^ 1, key);
        }
    }
}

#[inline(always)]
fn bump(index: u32, key: &FileKey, bytes: u64) -> bool {
    let Some(hot) = HOT.get_ptr_mut(index) else { return false };
    // SAFETY: a live map value, which this program alone writes.
    let hot = unsafe { &mut *hot };
    let is_it = hot.key.inode == key.inode
        && hot.key.start_time == key.start_time
        && hot.key.tgid == key.tgid
        && hot.key.device == key.device
        && hot.key.generation == key.generation
        && hot.key.counted == key.counted;
    if is_it {
        hot.calls += 1;
        hot.bytes += bytes;
    }
    is_it
}

#[inline(always)]
fn enter(index: u32, key: &FileKey) -> bool {
    let Some(hot) = HOT.get_ptr_mut(index) else { return false };
    // SAFETY: as above.
    let hot = unsafe { &mut *hot };
    let is_free = hot.key.counted == 0;
    if is_free {
        *hot = HotCount { key: *key, calls: 0, bytes: 0, reserved: 0 };
    }
    is_free
}
