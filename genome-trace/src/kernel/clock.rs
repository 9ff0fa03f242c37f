//! The two clocks: events carry the boot clock, people read the wall clock.

use crate::model::WallTime;

/// The wall clock's distance from the boot clock. It changes when the wall
/// clock is set, so it is taken anew now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockOffset {
    ns: i64,
}

impl ClockOffset {
    /// Measures the distance now.
    #[must_use]
    pub fn now() -> Self {
        // The boot clock is read on both sides of the wall clock, so that an
        // interruption between the reads does not count in full.
        let before = boot_ns();
        let wall = clock_ns(libc::CLOCK_REALTIME);
        let after = boot_ns();
        let boot = before.midpoint(after);
        Self { ns: wall.saturating_sub(i64::try_from(boot).unwrap_or(i64::MAX)) }
    }

    /// The wall time of a moment on the boot clock.
    #[must_use]
    pub fn wall_time(self, ktime_ns: u64) -> WallTime {
        let boot = i64::try_from(ktime_ns).unwrap_or(i64::MAX);
        WallTime { unix_ns: boot.saturating_add(self.ns) }
    }
}

/// The wall clock now.
#[must_use]
pub fn now() -> WallTime {
    WallTime { unix_ns: clock_ns(libc::CLOCK_REALTIME) }
}

/// Nanoseconds on the boot clock, as `bpf_ktime_get_boot_ns` gives them.
#[must_use]
pub fn boot_ns() -> u64 {
    u64::try_from(clock_ns(libc::CLOCK_BOOTTIME)).unwrap_or(0)
}

/// Nanoseconds on the monotonic clock, by which a service manager goes.
#[must_use]
pub fn monotonic_ns() -> u64 {
    u64::try_from(clock_ns(libc::CLOCK_MONOTONIC)).unwrap_or(0)
}

fn clock_ns(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec. The call fails only for an unknown
    // clock; both of ours are older than any kernel that can run this.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}
