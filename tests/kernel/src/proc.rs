//! What /proc says of a process, and how far the kernel's own figures may be
//! from it.

use std::fs;

use anyhow::Context as _;
use genome_trace::kernel::machine::{self, KernelVersion};

/// Times in /proc are cut to it: one of USER_HZ.
pub const TICK_NS: u64 = 10_000_000;

/// What /proc says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcFigures {
    /// Threads.
    pub threads: u64,
    /// Open descriptors.
    pub open_files: u64,
    /// Resident memory by the kernel's counters.
    pub rss_bytes: u64,
    /// The same, page by page.
    pub walked_rss_bytes: u64,
    /// CPU time of all threads: user's and system's, each cut to a tick.
    pub cpu_ns: u64,
    /// Calls that write, to pipes as well; of the process and of children that
    /// it has waited for.
    pub write_calls: Option<u64>,
    /// Bytes that those took.
    pub written_bytes: Option<u64>,
}

impl ProcFigures {
    /// Of a process that is there.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let file = |name: &str| {
            let path = format!("/proc/{pid}/{name}");
            fs::read_to_string(&path).with_context(|| format!("read {path}"))
        };
        let (status, io, rollup) = (file("status")?, file("io").ok(), file("smaps_rollup")?);
        let list = format!("/proc/{pid}/fd");
        let listed = fs::read_dir(&list).with_context(|| format!("list {list}"))?.count();
        // Less the one that the list is read by.
        let open = listed.saturating_sub(usize::from(pid == std::process::id()));
        let io = io.as_deref();
        Ok(Self {
            threads: figure(&status, "Threads:").context("no Threads")?,
            open_files: u64::try_from(open).context("too many files")?,
            rss_bytes: figure(&status, "VmRSS:").context("no VmRSS")? * 1024,
            walked_rss_bytes: figure(&rollup, "Rss:").context("no Rss")? * 1024,
            cpu_ns: cpu_ns(pid)?,
            write_calls: io.and_then(|io| figure(io, "syscw:")),
            written_bytes: io.and_then(|io| figure(io, "wchar:")),
        })
    }
}

/// CPU time of a process, all its threads: user's and system's, each cut to a
/// tick.
pub fn cpu_ns(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    // proc_pid_stat(5): the 14th and 15th, of which the first two are cut.
    let rest = stat.rsplit_once(") ").context("a stat without a name")?.1;
    let mut ticks = rest.split(' ').skip(11).map_while(|word| word.parse::<u64>().ok());
    let (user, system) = ticks.next().zip(ticks.next()).context("a stat without times")?;
    Ok((user + system) * TICK_NS)
}

fn figure(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How far what is told of a process' resident memory may be from what is
/// resident. Each of the three counters is kept in parts, and told without those
/// that have not been added up: before Linux 6.2 one for each thread, which is
/// added up after 64 page faults (`TASK_RSS_EVENTS_THRESH`, mm/memory.c), since
/// then one for each processor (`percpu_counter_batch`, lib/percpu_counter.c).
pub fn rss_slack_bytes(threads: u64) -> u64 {
    let release = machine::kernel_release();
    let by_processor =
        KernelVersion::parse(&release).is_none_or(|it| (it.major, it.minor) >= (6, 2));
    let processors = machine::processors() as u64;
    let parts = if by_processor { processors * (2 * processors).max(32) } else { threads * 64 };
    3 * parts * machine::page_size()
}
