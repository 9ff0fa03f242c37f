//! What this process may do (capabilities(7)).

use std::fs;

/// A capability that genome-trace has use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Its name.
    pub name: &'static str,
    /// Its bit in `CapEff`.
    bit: u32,
    /// What it is for.
    pub purpose: &'static str,
    /// Whether tracing is impossible without it.
    pub required: bool,
}

/// CAP_SYS_ADMIN, which contains CAP_BPF and CAP_PERFMON.
const SYS_ADMIN_BIT: u32 = 21;

/// All of them.
pub const CAPABILITIES: [Capability; 3] = [
    Capability { name: "CAP_BPF", bit: 39, purpose: "to load BPF programs", required: true },
    Capability {
        name: "CAP_PERFMON",
        bit: 38,
        purpose: "to attach BPF programs to kernel events and read kernel memory",
        required: true,
    },
    Capability {
        name: "CAP_SYSLOG",
        bit: 34,
        purpose: "to read kernel symbols, which tell a cgroup's OOM kill from the machine's",
        required: false,
    },
];

/// The effective capabilities of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effective(u64);

impl Effective {
    /// Reads them from /proc/self/status. Where that fails nothing is known,
    /// and nothing is claimed to be missing: the kernel will say.
    #[must_use]
    pub fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self(parse(&status).unwrap_or(u64::MAX))
    }

    /// Whether `capability`, or one that contains it, is there.
    #[must_use]
    pub fn has(self, capability: Capability) -> bool {
        let contained = capability.required && self.0 >> SYS_ADMIN_BIT & 1 == 1;
        contained || self.0 >> capability.bit & 1 == 1
    }

    /// Those without which tracing is impossible, and which are not there.
    pub fn missing_required(self) -> impl Iterator<Item = Capability> {
        CAPABILITIES.into_iter().filter(move |c| c.required && !self.has(*c))
    }
}

fn parse(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(mask: u64) -> Vec<&'static str> {
        Effective(mask).missing_required().map(|c| c.name).collect()
    }

    #[test]
    fn sys_admin_contains_the_newer_ones() {
        assert_eq!(missing(0), ["CAP_BPF", "CAP_PERFMON"]);
        assert_eq!(missing(1 << 39), ["CAP_PERFMON"]);
        assert!(missing(1 << 21).is_empty());
        assert!(missing(1 << 39 | 1 << 38).is_empty());
    }

    #[test]
    fn the_mask_is_read_from_status() {
        assert_eq!(parse("Name:\tx\nCapEff:\t000001ffffffffff\n"), Some(0x1ff_ffff_ffff));
        assert_eq!(parse("Name:\tx\n"), None);
    }
}
