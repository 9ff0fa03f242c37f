//! What this process itself uses: processor time and memory.

use std::{fs, io};

/// What was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnUsage {
    /// Time in user mode since the process began, in nanoseconds.
    pub user_ns: u64,
    /// Time in the kernel on its behalf, in nanoseconds. BPF programs that run
    /// in other processes are not in it.
    pub system_ns: u64,
}

impl OwnUsage {
    /// Asks the kernel: getrusage(2), for all threads.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn read() -> io::Result<Self> {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: the call writes one rusage to the address given.
        let result = unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: numbers alone, zeroed and then written by the kernel.
        let usage = unsafe { usage.assume_init() };
        Ok(Self { user_ns: nanoseconds(usage.ru_utime), system_ns: nanoseconds(usage.ru_stime) })
    }
}

/// Resident memory of this process now, in bytes (`VmRSS` of
/// /proc/self/status). `None` where /proc does not say.
#[must_use]
pub fn rss_bytes() -> Option<u64> {
    rss_from(&fs::read_to_string("/proc/self/status").ok()?)
}

fn rss_from(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

fn nanoseconds(time: libc::timeval) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u64::try_from(time.tv_usec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(micros.saturating_mul(1_000))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_status() {
        assert_eq!(rss_from("VmHWM:\t  9000 kB\nVmRSS:\t    4324 kB\n"), Some(4_427_776));
        assert_eq!(rss_from("VmHWM:\t  9000 kB\n"), None);
        assert!(rss_bytes().unwrap() > 0);
    }

    #[test]
    fn work_is_seen() {
        let before = OwnUsage::read().unwrap();
        let total = |usage: OwnUsage| usage.user_ns + usage.system_ns;
        // The kernel counts in ticks at worst, so work until one has passed.
        while total(OwnUsage::read().unwrap()) == total(before) {
            std::hint::black_box((0..10_000u64).sum::<u64>());
        }
    }
}
