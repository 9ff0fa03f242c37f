//! How long the machine's processors have worked.

use std::fs;

use super::process::ns_per_tick;

/// CPU time that all processors together have spent on work since the boot, in
/// nanoseconds, by the ticks of /proc/stat (proc_stat(5)). Waiting for disks and
/// what a hypervisor took away are no work of this machine.
#[must_use]
pub fn busy_ns() -> Option<u64> {
    let ticks = busy_ticks(&fs::read_to_string("/proc/stat").ok()?)?;
    ticks.checked_mul(ns_per_tick())
}

/// The first line is the sum: user, nice, system, idle, iowait, irq, softirq,
/// steal, and what guests had, which user and nice hold already.
fn busy_ticks(stat: &str) -> Option<u64> {
    let mut numbers = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let mut next = || numbers.next()?.parse::<u64>().ok();
    let (user, nice, system) = (next()?, next()?, next()?);
    let (_idle, _iowait) = (next()?, next()?);
    let (irq, softirq) = (next()?, next()?);
    [user, nice, system, irq, softirq].into_iter().try_fold(0, u64::checked_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_added_up_and_waiting_is_not() {
        let stat = "cpu  10 20 30 4000 500 6 7 80 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(busy_ticks(stat), Some(73));
        assert_eq!(busy_ticks("intr 5\n"), None);
        assert!(busy_ns().is_some());
    }
}
