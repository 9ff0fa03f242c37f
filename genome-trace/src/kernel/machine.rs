//! The machine: kernel release, host name, processors.

use std::{fmt, fs};

/// A kernel's version, as far as it matters for what it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KernelVersion {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
}

impl KernelVersion {
    /// The oldest kernel that has ring buffers and CAP_BPF.
    pub const OLDEST: Self = Self { major: 5, minor: 8 };

    /// Reads a release as uname(2) gives it: `6.1.0-56-cloud-amd64`.
    #[must_use]
    pub fn parse(release: &str) -> Option<Self> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        Some(Self { major, minor })
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Where BPF programs can be preempted: the kernel then skips a program that
/// is already running on the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preemption {
    /// Those on tracepoints.
    pub of_tracepoints: bool,
    /// Those on functions, by trampolines.
    pub of_trampolines: bool,
}

impl Preemption {
    /// From the release and the version as uname(2) gives them: the version
    /// names the kernel's preemption model (init/Makefile), as in
    /// `#1 SMP PREEMPT_DYNAMIC Debian 6.12.117-1 (2026-09-28)`.
    #[must_use]
    pub fn of(release: &str, version: &str) -> Self {
        /// The first whose tracepoints are called with preemption on.
        const PREEMPTIBLE_TRACEPOINTS: KernelVersion = KernelVersion { major: 7, minor: 0 };
        // Where one of the two cannot be read, backups do no harm.
        let is_new =
            KernelVersion::parse(release).is_none_or(|version| version >= PREEMPTIBLE_TRACEPOINTS);
        let mut words = version.split_ascii_whitespace();
        let is_preemptible = words.any(|word| word.starts_with("PREEMPT")) || version == UNKNOWN;
        let is_real_time = version.contains("PREEMPT_RT");
        Self {
            of_tracepoints: is_real_time || is_new && is_preemptible,
            of_trampolines: is_preemptible,
        }
    }

    /// Whether any can.
    #[must_use]
    pub const fn is_any(self) -> bool {
        self.of_tracepoints || self.of_trampolines
    }
}

/// What stands for what the kernel does not say.
const UNKNOWN: &str = "unknown";

/// The kernel's version, as in `uname -v`.
#[must_use]
pub fn kernel_version() -> String {
    read_line("/proc/sys/kernel/version")
}

/// The kernel's release, as in `uname -r`.
#[must_use]
pub fn kernel_release() -> String {
    read_line("/proc/sys/kernel/osrelease")
}

/// The host's name, as in `uname -n`.
#[must_use]
pub fn host_name() -> String {
    read_line("/proc/sys/kernel/hostname")
}

/// This boot, as `/proc/sys/kernel/random/boot_id` has it (random(4)).
#[must_use]
pub fn boot_id() -> String {
    read_line("/proc/sys/kernel/random/boot_id")
}

fn read_line(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| UNKNOWN.to_owned(), |text| text.trim().to_owned())
}

/// Gives memory that is free back to the kernel: what a start needs is many
/// times what a run does.
pub fn trim_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the allocator's own function; it takes no addresses.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// One more than the largest PID that the kernel gives (proc(5), pid_max).
#[must_use]
pub fn pids() -> u32 {
    /// The most that a 64-bit kernel can be set to.
    const MOST: u32 = 1 << 22;
    let told = std::fs::read_to_string("/proc/sys/kernel/pid_max").ok();
    told.and_then(|text| text.trim().parse().ok()).unwrap_or(MOST).min(MOST)
}

/// Processors that this process may use.
#[must_use]
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Size of a memory page in bytes.
#[must_use]
pub fn page_size() -> u64 {
    // SAFETY: no precondition.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).unwrap_or(4096)
}

/// Whether kernel probes can be asked for at all: the kernel lists them as a
/// source of perf events.
#[must_use]
pub fn has_kprobes() -> bool {
    fs::exists("/sys/bus/event_source/devices/kprobe").unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_many_sorts() {
        let version = |major, minor| Some(KernelVersion { major, minor });
        assert_eq!(KernelVersion::parse("6.1.0-56-cloud-amd64"), version(6, 1));
        assert_eq!(KernelVersion::parse("7.2.12+deb13-cloud-amd64"), version(7, 2));
        assert_eq!(KernelVersion::parse("5.10"), version(5, 10));
        assert_eq!(KernelVersion::parse("6.18-rc1"), version(6, 18));
        assert_eq!(KernelVersion::parse("unknown"), None);
        assert_eq!(KernelVersion::parse("99999999999999999999.1"), None);
    }

    #[test]
    fn the_version_tells_what_can_be_preempted() {
        let of = |release, version| {
            let preemption = Preemption::of(release, version);
            (preemption.of_tracepoints, preemption.of_trampolines)
        };
        assert_eq!(of("5.10.0-38-cloud-amd64", "#1 SMP Debian 5.10.262-1"), (false, false));
        assert_eq!(of("6.1.0-56", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-1"), (false, true));
        assert_eq!(of("7.3.4", "#1 SMP PREEMPT_DYNAMIC Debian 7.3.4-1"), (true, true));
        assert_eq!(of("7.3.4", "#1 SMP Debian 7.3.4-1"), (false, false));
        assert_eq!(of("6.1.0-rt", "#1 SMP PREEMPT_RT Debian 6.1.192-1"), (true, true));
        assert_eq!(of("unknown", "unknown"), (true, true));
    }

    #[test]
    fn five_ten_is_newer_than_five_eight() {
        assert!(KernelVersion { major: 5, minor: 10 } > KernelVersion::OLDEST);
        assert!(KernelVersion { major: 5, minor: 7 } < KernelVersion::OLDEST);
    }
}
