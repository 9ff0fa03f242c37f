//! Workers that are to take and do so much, and then rest.

use std::path::Path;

use genome_trace_tests_kernel::{Checks, Context, Held, ProcFigures, Resting};

use super::figures::is_cpu_of_proc;

/// What a worker is to take and do; its persona has its name as genome id.
pub(super) struct Worker {
    pub(super) persona: &'static str,
    pub(super) rss_bytes: u64,
    pub(super) threads: u64,
    pub(super) open_files: u64,
    pub(super) files: u64,
    pub(super) writes: u64,
    pub(super) cpu_ms: u64,
}

/// Two of one persona; one that works for several looks, in a cgroup with a
/// limit; and one that does nothing.
pub(super) const WORKERS: [Worker; 4] = [
    Worker {
        persona: "gt-truth-pair",
        rss_bytes: 48 << 20,
        threads: 3,
        open_files: 70,
        files: 2,
        writes: 1234,
        cpu_ms: 300,
    },
    Worker {
        persona: "gt-truth-pair",
        rss_bytes: 16 << 20,
        threads: 0,
        open_files: 5,
        files: 7,
        writes: 17,
        cpu_ms: 0,
    },
    Worker {
        persona: LIMITED,
        rss_bytes: 96 << 20,
        threads: 9,
        open_files: 0,
        files: 40,
        writes: 20_000,
        cpu_ms: 4500,
    },
    Worker {
        persona: "gt-truth-idle",
        rss_bytes: 0,
        threads: 0,
        open_files: 0,
        files: 0,
        writes: 0,
        cpu_ms: 0,
    },
];
pub(super) const LIMITED: &str = "gt-truth-limited";

impl Worker {
    pub(super) fn hold(&self, context: &Context, dir: &Path) -> anyhow::Result<Held> {
        context
            .workload("occupy")
            .env("GENOME_PERSONA", self.persona)
            .env("GENOME_ID", self.persona)
            .option("--rss-bytes", self.rss_bytes)
            .option("--threads", self.threads)
            .option("--open-files", self.open_files)
            .path("--dir", dir)
            .option("--files", self.files)
            .option("--writes", self.writes)
            .option("--cpu-ms", self.cpu_ms)
            .hold()
    }
}

/// A worker at rest, and what /proc says of it.
pub(super) struct Known {
    pub(super) worker: &'static Worker,
    pub(super) pid: u32,
    pub(super) proc: ProcFigures,
}

impl Known {
    pub(super) fn name(&self) -> String {
        format!("worker {} of {}", self.pid, self.worker.persona)
    }

    /// The worker has done what it was asked for, and says what /proc says.
    pub(super) fn check_account(
        &self,
        checks: &mut Checks,
        resting: &Resting,
    ) -> anyhow::Result<()> {
        let (truth, name) = (resting.truth(), self.name());
        for (what, wanted) in [
            ("/threads", self.proc.threads),
            ("/open_files", self.proc.open_files),
            ("/write_calls", self.worker.writes),
            ("/files_created", self.worker.files),
        ] {
            checks.equal(format_args!("{what} by {name} itself"), truth.number(what)?, wanted);
        }
        checks.holds(
            self.proc.threads == self.worker.threads + 1
                && self.proc.open_files >= self.worker.open_files
                && self.proc.walked_rss_bytes >= self.worker.rss_bytes,
            format_args!("{name} has not what it was to take: {:?}", self.proc),
        );
        // To its stdout it has said that it is held, and that it rests.
        if let Some(calls) = self.proc.write_calls {
            checks.equal(format_args!("write calls of {name}"), calls, self.worker.writes + 2);
        }
        let cpu_ns = truth.number("/cpu_ns")?;
        checks.holds(
            is_cpu_of_proc(cpu_ns as f64, self.proc.cpu_ns),
            format_args!("{name} says that it used {cpu_ns} ns, /proc {}", self.proc.cpu_ns),
        );
        Ok(())
    }
}
