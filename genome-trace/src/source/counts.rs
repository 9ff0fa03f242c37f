//! Counts of writes and unlinks, taken out of the kernel's two maps in turn.
//!
//! While one map is filled the other is read: the flip, then a grace period
//! (no program can be using the old map any more), then the old map belongs to
//! userspace alone. So no count is missed and none is taken twice.

use std::{collections::HashMap as StdHashMap, io, ops::Range, os::fd::AsFd as _, time::Duration};

use aya::maps::{Array, MapData};
use genome_trace_common::{FileCount, FileKey};

use super::Hot;
use crate::{
    kernel::syscall::{BatchCursor, take_batch, wait_for_programs},
    wire::{Counted, NamedFile},
};

/// How often counts are flushed.
pub const FLUSH_INTERVAL: Duration = Duration::from_secs(1);
/// Counts taken with one call.
const BATCH: usize = 4096;
/// Used where the kernel cannot wait for its programs itself: no program of
/// ours runs longer than microseconds.
const GRACE: Duration = Duration::from_millis(20);

const NO_KEY: FileKey = FileKey {
    start_time: 0,
    inode: 0,
    name_hash: 0,
    tgid: 0,
    device: 0,
    counted: 0,
    generation: 0,
};

/// The records that name the files of one map: bytes one after the other, so
/// that a name costs no allocation of its own.
#[derive(Default)]
struct Names {
    bytes: Vec<u8>,
    ranges: StdHashMap<FileKey, Range<usize>>,
}

impl Names {
    /// Memory kept for the next epoch; a burst's is given back.
    const KEPT: usize = 1 << 20;

    fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(Self::KEPT);
        self.ranges.clear();
        self.ranges.shrink_to(Self::KEPT / 64);
    }
}

/// The two maps of counts and the names that go with them.
pub struct Counts {
    maps: [MapData; 2],
    epoch: Array<MapData, u32>,
    current: u32,
    names: [Names; 2],
    keys: Vec<FileKey>,
    values: Vec<FileCount>,
    capacity: u32,
    hot: Hot,
    /// What the busiest files' counts have besides, while they are taken.
    besides: StdHashMap<FileKey, FileCount>,
}

impl Counts {
    /// Takes over the maps, each with room for `capacity` counts.
    #[must_use]
    pub fn new(maps: [MapData; 2], hot: Hot, epoch: Array<MapData, u32>, capacity: u32) -> Self {
        Self {
            maps,
            epoch,
            current: 0,
            names: <[Names; 2]>::default(),
            keys: vec![NO_KEY; BATCH],
            values: vec![FileCount::default(); BATCH],
            capacity,
            hot,
            besides: StdHashMap::new(),
        }
    }

    /// Keeps the record that names a counted file.
    pub fn name(&mut self, file: NamedFile, record: &[u8]) {
        let [even, odd] = &mut self.names;
        let names = if file.epoch & 1 == 0 { even } else { odd };
        let start = names.bytes.len();
        names.bytes.extend_from_slice(record);
        names.ranges.insert(file.key, start..names.bytes.len());
    }

    /// Whether the current map is half full, so that waiting for the next
    /// flush might lose counts.
    #[must_use]
    pub fn is_pressing(&self) -> bool {
        let [even, odd] = &self.names;
        let names = if self.current == 0 { even } else { odd };
        names.ranges.len() >= (self.capacity / 2) as usize
    }

    /// Whether a process has counts that were not flushed yet.
    #[must_use]
    pub fn has_any(&self) -> bool {
        self.names.iter().any(|names| !names.ranges.is_empty())
    }

    /// Makes the other map the current one and waits until the kernel has
    /// left the old one. The ring must be drained after this and before
    /// [`Counts::take`], so that every name has arrived.
    ///
    /// # Errors
    /// The kernel's refusal to change the epoch.
    pub fn flip(&mut self) -> io::Result<()> {
        self.epoch.set(0, self.current ^ 1, 0).map_err(io::Error::other)?;
        self.current ^= 1;
        if wait_for_programs().is_err() {
            std::thread::sleep(GRACE);
        }
        Ok(())
    }

    /// Empties the map that is not current: hands each count to `handle`, with
    /// the record that names its file where that arrived. `ktime_ns` is the
    /// time that the counts are given.
    ///
    /// # Errors
    /// The kernel's refusal, or what `handle` returned.
    pub fn take<E: From<io::Error>>(
        &mut self,
        ktime_ns: u64,
        mut handle: impl FnMut(Counted<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let [even, odd] = &self.maps;
        let [even_names, odd_names] = &mut self.names;
        let (map, names) = if self.current == 1 { (even, even_names) } else { (odd, odd_names) };
        let besides = &mut self.besides;
        self.hot.take(self.current ^ 1, |hot| {
            let sum = besides.entry(hot.key).or_default();
            sum.calls += hot.calls;
            sum.bytes += hot.bytes;
        });
        let mut cursor = BatchCursor::default();
        loop {
            let fd = map.fd().as_fd();
            let (taken, last) = take_batch(fd, &mut cursor, &mut self.keys, &mut self.values)?;
            for (&key, &count) in self.keys.iter().zip(&self.values).take(taken) {
                let more = besides.remove(&key).unwrap_or_default();
                let count =
                    FileCount { calls: count.calls + more.calls, bytes: count.bytes + more.bytes };
                // A file that was created and not written yet.
                if count.calls == 0 {
                    continue;
                }
                let range = names.ranges.get(&key).cloned();
                let record = range.and_then(|range| names.bytes.get(range));
                handle(Counted { key, count, record, ktime_ns })?;
            }
            if last {
                break;
            }
        }
        // Every count of a busy file has its entry in the map.
        besides.clear();
        names.clear();
        Ok(())
    }
}
