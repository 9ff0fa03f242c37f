//! The clocks that measured times are told by, and moments that forked
//! processes share.

use std::io;
use std::sync::atomic::Ordering::SeqCst;

use rustix::time::{ClockId, clock_gettime};

use crate::sys::shared::SharedTable;

/// `CLOCK_MONOTONIC` now, in nanoseconds: the same for every process.
pub(crate) fn monotonic_ns() -> u64 {
    nanos(ClockId::Monotonic)
}

/// CPU time of this process, all its threads, in nanoseconds.
pub(crate) fn process_cpu_ns() -> u64 {
    nanos(ClockId::ProcessCPUTime)
}

fn nanos(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

/// One time in nanoseconds that a child leaves for its parent.
pub(crate) struct SharedTime(SharedTable);

impl SharedTime {
    pub(crate) fn new() -> io::Result<Self> {
        SharedTable::new(2).map(Self)
    }

    /// Leaves a time.
    pub(crate) fn leave(&self, time_ns: u64) {
        if let [low, high] = self.0.slots() {
            // The cut is meant: one half each.
            low.store(time_ns as u32, SeqCst);
            high.store((time_ns >> 32) as u32, SeqCst);
        }
    }

    /// Does the work and leaves how long it took.
    pub(crate) fn measure<T>(&self, work: impl FnOnce() -> T) -> T {
        let started_ns = monotonic_ns();
        let done = work();
        self.leave(monotonic_ns().saturating_sub(started_ns));
        done
    }

    /// What was left; for the time after the child's end. `None` where it left
    /// nothing.
    pub(crate) fn nanos(&self) -> Option<u64> {
        let [low, high] = self.0.slots() else { return None };
        let time_ns = u64::from(high.load(SeqCst)) << 32 | u64::from(low.load(SeqCst));
        (time_ns != 0).then_some(time_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_arrive() {
        let time = SharedTime::new().unwrap();
        assert_eq!(time.nanos(), None);
        time.leave(0x1234_5678_9abc_def0);
        assert_eq!(time.nanos(), Some(0x1234_5678_9abc_def0));
        time.measure(std::thread::yield_now);
        assert!(time.nanos().is_some_and(|ns| ns < 1_000_000_000));
    }
}
