//! CPU time of another process, from /proc/PID/stat (proc_pid_stat(5)).

use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// User and system time of all its threads so far, those that have ended
/// included; to the tick, which is 10 ms on most machines.
pub(crate) fn time(pid: u32) -> anyhow::Result<Duration> {
    let file = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&file).with_context(|| format!("read {file}"))?;
    let ticks = ticks(&stat).with_context(|| format!("read CPU time in {file}"))?;
    let ticks_per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_secs_f64(ticks as f64 / ticks_per_second as f64))
}

/// Fields 14 and 15. The second one, the name, may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_times_are_added_whatever_the_name() {
        let stat = "12 (a) b 9 9) S 1 12 12 0 -1 4194560 500 0 3 0 70 5 0 0 20 0 1 0 100";
        assert_eq!(ticks(stat), Some(75));
        assert_eq!(ticks("12 (a) S 1"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn our_own_can_be_read() {
        assert!(time(std::process::id()).is_ok());
    }
}
