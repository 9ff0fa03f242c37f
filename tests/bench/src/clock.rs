//! The clock that workloads tell their times by, and the CPU clocks of other
//! processes.

use std::io;
use std::time::Duration;

use anyhow::Context as _;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// `CLOCK_MONOTONIC` now, in nanoseconds: the same for every process.
pub(crate) fn monotonic_ns() -> u64 {
    nanos(clock_gettime(ClockId::Monotonic))
}

/// CPU time of a process and all its threads so far, to the nanosecond: what
/// /proc has of it is in ticks.
pub(crate) fn cpu_time(tgid: u32) -> anyhow::Result<Duration> {
    read_cpu_clock(tgid).with_context(|| format!("read the CPU clock of process {tgid}"))
}

fn read_cpu_clock(tgid: u32) -> io::Result<Duration> {
    let tgid = libc::pid_t::try_from(tgid).map_err(io::Error::other)?;
    let mut clock = 0;
    // SAFETY: the pointer is to a live local of the right type.
    match unsafe { libc::clock_getcpuclockid(tgid, &raw mut clock) } {
        0 => {}
        errno => return Err(io::Error::from_raw_os_error(errno)),
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: likewise, and a clock that is gone is an error.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    ))
}

fn nanos(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_cpu_clock_runs() {
        let before = cpu_time(std::process::id()).unwrap();
        let until_ns = monotonic_ns() + 20_000_000;
        while monotonic_ns() < until_ns {}
        assert!(cpu_time(std::process::id()).unwrap() > before);
    }
}
