//! How many descriptors a process may have: /proc/PID/limits (proc_pid_limits(5)).
//! Others' is closed to those who are not root.

use std::fs;

use super::process;
use crate::model::ProcessKey;

const NAME: &str = "Max open files";

/// The soft limit of this very process; `None` where it is unlimited, or not to
/// be known.
#[must_use]
pub fn open_files_limit(key: ProcessKey) -> Option<u64> {
    let limits = fs::read_to_string(format!("/proc/{}/limits", key.tgid)).ok()?;
    // Looked at after it was read, or it might be another's.
    soft_limit(&limits).filter(|_| process::is_there(key))
}

fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(NAME))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_the_first() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max processes             7694                 7694                 processes \n\
                    Max open files            1024                 524288               files     \n";
        assert_eq!(soft_limit(text), Some(1024));
        assert_eq!(soft_limit("Max open files  unlimited  unlimited  files"), None);
        assert_eq!(soft_limit("Max open files"), None);
        assert_eq!(soft_limit(""), None);
    }

    #[test]
    fn this_process_has_one_and_one_that_is_gone_has_none() {
        let own = process::ProcProcess::read(std::process::id()).unwrap();
        let key = ProcessKey { tgid: own.tgid, start_time: own.start_ns() };
        let told = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        assert_eq!(open_files_limit(key), told);
        assert_eq!(open_files_limit(ProcessKey { start_time: 0, ..key }), None);
    }
}
