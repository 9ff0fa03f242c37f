//! The reading side of a BPF ring buffer (kernel/bpf/ringbuf.c).
//!
//! Our own reader, not aya's, for two reasons: it frees the room of many
//! records with one store, and it knows how full the ring was.

use std::{
    fs::File,
    io,
    os::fd::{AsFd as _, AsRawFd as _},
    sync::atomic::{AtomicU32, AtomicU64, Ordering, fence},
};

use aya::maps::MapData;
use tokio::io::unix::AsyncFd;

use crate::kernel::mapping::Mapping;

/// The producer has not finished the record (`BPF_RINGBUF_BUSY_BIT`).
const BUSY: u32 = 1 << 31;
/// The producer gave the record up (`BPF_RINGBUF_DISCARD_BIT`).
const DISCARDED: u32 = 1 << 30;
/// Bytes before each record (`BPF_RINGBUF_HDR_SZ`).
const HEADER: u64 = 8;
/// Records after which their room is given back.
const RELEASE_EVERY: u32 = 64;

/// What a call of [`Ring::drain`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Records handed over.
    pub records: usize,
    /// No finished record was left.
    pub empty: bool,
}

/// A place between two records. Positions only grow, and wrap round after
/// 2^64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position(u64);

const fn is_at_or_past(position: u64, end: u64) -> bool {
    position.wrapping_sub(end) < 1 << 63
}

/// One ring, and how full it has been.
pub struct Ring {
    map: MapData,
    /// The reader's position, alone on its page.
    consumer: Mapping,
    /// The writer's position on the first page, then the data twice in a row,
    /// so that a record that wraps round lies in one piece.
    producer: Mapping,
    page: usize,
    capacity: u64,
    peak: u64,
}

impl Ring {
    /// Maps a ring of `capacity` bytes.
    ///
    /// # Errors
    /// The kernel's refusal to map it.
    pub fn new(map: MapData, capacity: u32, page_size: u64) -> io::Result<Self> {
        let page = usize::try_from(page_size).map_err(io::Error::other)?;
        let data = usize::try_from(capacity).map_err(io::Error::other)?;
        let fd = map.fd().as_fd().as_raw_fd();
        let consumer = Mapping::new(fd, page, libc::PROT_READ | libc::PROT_WRITE, 0)?;
        let producer = Mapping::new(fd, page + 2 * data, libc::PROT_READ, page)?;
        Ok(Self { map, consumer, producer, page, capacity: capacity.into(), peak: 0 })
    }

    /// Size in bytes.
    #[must_use]
    pub const fn capacity(&self) -> u64 {
        self.capacity
    }

    /// The most bytes that ever waited.
    #[must_use]
    pub const fn peak(&self) -> u64 {
        self.peak
    }

    /// Bytes that wait now, and how many there is room for.
    #[must_use]
    pub fn fill(&self) -> (u64, u64) {
        let read = self.consumer().load(Ordering::Relaxed);
        (self.end().0.wrapping_sub(read), self.capacity)
    }

    fn consumer(&self) -> &AtomicU64 {
        // SAFETY: the kernel keeps an aligned unsigned long at the start of
        // this page, which is mapped as long as `self` lives.
        unsafe { AtomicU64::from_ptr(self.consumer.start().as_ptr().cast()) }
    }

    fn producer(&self) -> &AtomicU64 {
        // SAFETY: as above; the page is read-only, and it is only loaded from.
        unsafe { AtomicU64::from_ptr(self.producer.start().as_ptr().cast()) }
    }

    /// Hands up to `limit` records to `handle`, oldest first, and frees their
    /// room. It stops early where `handle` fails; that record counts as taken.
    ///
    /// # Errors
    /// What `handle` returned.
    pub fn drain<E>(
        &mut self,
        limit: usize,
        handle: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Drained, E> {
        self.drain_until(None, limit, handle)
    }

    /// The same, and no record that begins at `end` or later.
    ///
    /// # Errors
    /// What `handle` returned.
    pub fn drain_to<E>(
        &mut self,
        end: Position,
        limit: usize,
        handle: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Drained, E> {
        self.drain_until(Some(end), limit, handle)
    }

    /// Where the next record will begin.
    #[must_use]
    pub fn end(&self) -> Position {
        Position(self.producer().load(Ordering::Acquire))
    }

    /// Whether every record that began before `end` was handed over.
    #[must_use]
    pub fn is_past(&self, end: Position) -> bool {
        is_at_or_past(self.consumer().load(Ordering::Relaxed), end.0)
    }

    fn drain_until<E>(
        &mut self,
        stop: Option<Position>,
        limit: usize,
        mut handle: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Drained, E> {
        let mut position = self.consumer().load(Ordering::Relaxed);
        let mut unreleased = 0;
        let mut records = 0;
        let mut result = Ok(());
        let mut empty = false;
        while records < limit && stop.is_none_or(|stop| !is_at_or_past(position, stop.0)) {
            let end = self.producer().load(Ordering::Acquire);
            self.peak = self.peak.max(end.wrapping_sub(position));
            let word = if position == end { BUSY } else { self.length_word(position) };
            if word & BUSY != 0 {
                // The writer wakes a reader only if it finds it here, so the
                // position is published before the last look.
                self.consumer().store(position, Ordering::Release);
                fence(Ordering::SeqCst);
                unreleased = 0;
                let end = self.producer().load(Ordering::Acquire);
                if position == end || self.length_word(position) & BUSY != 0 {
                    empty = true;
                    break;
                }
                continue;
            }
            let len = u64::from(word & !(BUSY | DISCARDED));
            if word & DISCARDED == 0 {
                records += 1;
                result = handle(self.record(position, len));
            }
            position = position.wrapping_add((len + HEADER).next_multiple_of(8));
            unreleased += 1;
            if unreleased == RELEASE_EVERY {
                self.consumer().store(position, Ordering::Release);
                unreleased = 0;
            }
            if result.is_err() {
                break;
            }
        }
        self.consumer().store(position, Ordering::Release);
        if !empty && records < limit && result.is_ok() {
            // Stopped where it was told to: that may be the ring's end.
            fence(Ordering::SeqCst);
            let end = self.producer().load(Ordering::Acquire);
            empty = position == end || self.length_word(position) & BUSY != 0;
        }
        result.map(|()| Drained { records, empty })
    }

    /// Where the data at `position` lies in the mapping.
    fn at(&self, position: u64) -> *const u8 {
        // `capacity` is a power of two, and the mapping was made for it, so
        // the offset fits a usize.
        let offset = self.page + (position & (self.capacity - 1)) as usize;
        // SAFETY: the offset is inside the first copy of the data.
        unsafe { self.producer.start().as_ptr().add(offset) }
    }

    fn length_word(&self, position: u64) -> u32 {
        // SAFETY: records are aligned to 8 bytes and begin with the length.
        let word = unsafe { AtomicU32::from_ptr(self.at(position).cast::<u32>().cast_mut()) };
        word.load(Ordering::Acquire)
    }

    fn record(&self, position: u64, len: u64) -> &[u8] {
        let len = len.min(self.capacity) as usize;
        let start = self.at(position.wrapping_add(HEADER));
        // SAFETY: `start` is in the first copy, and the second one follows it,
        // so `len <= capacity` bytes are mapped. The writer is done with them
        // (not busy) and does not reuse them before they are released.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    /// A second descriptor of the ring, to wait on. Must be called inside the
    /// event loop.
    ///
    /// # Errors
    /// The system's limit on descriptors.
    pub fn waitable(&self) -> io::Result<AsyncFd<File>> {
        let file = File::from(self.map.fd().as_fd().try_clone_to_owned()?);
        // SAFETY: the file is moved in, so its descriptor stays open and the
        // same until the `AsyncFd` closes it.
        Ok(unsafe { AsyncFd::register(file) }?)
    }
}

#[cfg(test)]
mod tests {
    use super::is_at_or_past;

    #[test]
    fn positions_wrap_round() {
        assert!(is_at_or_past(8, 8));
        assert!(is_at_or_past(16, 8));
        assert!(!is_at_or_past(8, 16));
        assert!(is_at_or_past(8, u64::MAX - 7));
        assert!(!is_at_or_past(u64::MAX - 7, 8));
    }
}
