//! What a process has and has used at one moment. What the kernel did not let
//! anybody read is `None`.

use super::Process;

/// A process as the kernel had it at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessSample<'a> {
    /// Which.
    pub process: Process<'a>,
    /// When it was looked at, on the boot clock, in nanoseconds.
    pub ktime_ns: u64,
    /// Anonymous resident memory, in bytes. From Linux 6.2 on the kernel adds
    /// it up from per-CPU counters now and then, so it may be behind by some
    /// 32 pages for each CPU. Kernel threads and the dead have none of their
    /// own: `None`.
    pub anon_rss_bytes: Option<u64>,
    /// File-backed resident memory, in bytes, likewise.
    pub file_rss_bytes: Option<u64>,
    /// Resident shared memory, in bytes, likewise.
    pub shmem_rss_bytes: Option<u64>,
    /// What all its threads used, those that are gone too. `None` where a
    /// thread went while they were looked at, one after the other.
    pub used: Option<Used>,
    /// Its writes include those of children that it has waited for, as in
    /// /proc/PID/io: it has waited for some.
    pub had_children: bool,
    /// Threads, the leader included.
    pub threads: Option<u32>,
    /// Open descriptors.
    pub open_files: Option<u32>,
    /// The process' own adjustment, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
}

impl ProcessSample<'_> {
    /// All resident memory, in bytes: proc(5)'s `VmRSS`.
    #[must_use]
    pub fn rss_bytes(&self) -> Option<u64> {
        self.anon_rss_bytes?.checked_add(self.file_rss_bytes?)?.checked_add(self.shmem_rss_bytes?)
    }
}

/// What a process used from its start on: counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// CPU time in nanoseconds, as the scheduler measures it: behind by up to a
    /// tick for each thread that runs.
    pub cpu_ns: Option<u64>,
    /// Time in user mode in nanoseconds, as the kernel counts it: on most
    /// machines by ticks, so that it and `system_ns` need not add up to
    /// `cpu_ns`.
    pub user_ns: Option<u64>,
    /// Time in the kernel in nanoseconds, likewise.
    pub system_ns: Option<u64>,
    /// Write system calls, successful or not.
    pub write_calls: Option<u64>,
    /// Bytes that write system calls took.
    pub written_bytes: Option<u64>,
}

impl Used {
    /// Both together; unknown where one of them is.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let sum = |one: Option<u64>, other: Option<u64>| Some(one?.saturating_add(other?));
        Self {
            cpu_ns: sum(self.cpu_ns, other.cpu_ns),
            user_ns: sum(self.user_ns, other.user_ns),
            system_ns: sum(self.system_ns, other.system_ns),
            write_calls: sum(self.write_calls, other.write_calls),
            written_bytes: sum(self.written_bytes, other.written_bytes),
        }
    }
}
