//! How many descriptors a process may have.

use std::fs;

use super::process::is_there;
use crate::model::ProcessKey;

/// The soft limit (`RLIMIT_NOFILE`, getrlimit(2)) of a process, from
/// /proc/PID/limits; `None` where it is gone, or others may not read that.
#[must_use]
pub fn descriptor_limit(key: ProcessKey) -> Option<u64> {
    let limits = fs::read_to_string(format!("/proc/{}/limits", key.tgid)).ok()?;
    // It may be another's by now.
    is_there(key).then(|| soft(&limits)).flatten()
}

fn soft(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => None,
        limit => limit.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_one_counts() {
        let limits = "\
Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 524288               files
";
        assert_eq!(soft(limits), Some(1_024));
        assert_eq!(soft("Max open files            unlimited            unlimited"), None);
        assert_eq!(soft(""), None);
    }
}
