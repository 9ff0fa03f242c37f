//! What the task iterator says of a process, held against what /proc says of
//! it: this process itself.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::sync::{Arc, Barrier};
use std::thread;

use anyhow::{Context as _, ensure};
use genome_trace::kernel::{
    btf::{Btf, Source},
    facts::FoundFacts,
    machine,
};
use genome_trace::model::Used;
use genome_trace::pipeline::Known;
use genome_trace::probe::{KernelTypes, Object, Rings, Scope};
use genome_trace::wire::samples;
use genome_trace_tests_kernel::{Checks, Context, ProcFigures, Suite, TICK_NS, rss_slack_bytes};

const THREADS: u32 = 6;
const FILES: usize = 70;
const WRITES: usize = 1234;
const MEMORY: usize = 64 << 20;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("tasks::figures_are_those_of_proc", figures);
}

fn figures(_: &Context) -> anyhow::Result<()> {
    let source = Source::open("/sys/kernel/btf/vmlinux".as_ref()).context("open the BTF")?;
    let btf = Btf::parse(source.bytes()).context("read the BTF")?;
    let found = FoundFacts::from_btf(&btf);
    let scope = Scope {
        excluded_tgid: None,
        only_watched: false,
        cgroup_v1_memory: false,
        file_kinds: Vec::new(),
        has_backups: false,
        wants_candidates: false,
        processors: 1,
        keeps_stderr: false,
    };
    let rings = Rings {
        lifecycle_bytes: 1 << 16,
        io_bytes: 1 << 16,
        counts: 16,
        hot_counts: 16,
        mark_blocks: 1,
        stderr_tails: 1,
    };
    let mut object = Object::load(&found.facts, KernelTypes::of(&btf), &scope, rings)?;
    let tasks = object.tasks()?;
    let page_size = machine::page_size();
    let known = Known::new(HashMap::new(), 0, page_size);

    let memory = vec![0x5a_u8; MEMORY];
    let open = || File::options().write(true).open("/dev/null").context("open /dev/null");
    let mut files = (0..FILES).map(|_| open()).collect::<anyhow::Result<Vec<_>>>()?;
    let company = Company::new()?;
    let null = files.first_mut().context("no file is open")?;
    for _ in 0..WRITES {
        null.write_all(b"x").context("write to /dev/null")?;
    }

    let own = std::process::id();
    let before = ProcFigures::of(own)?;
    let records = tasks.read().context("read the tasks")?;
    let after = ProcFigures::of(own)?;
    let sample = samples(&records, &known).find(|sample| sample.process.key.tgid == own);
    let sample = sample.context("the iterator does not know this process")?;
    // A second read is a new one.
    let again = tasks.read().context("read the tasks again")?;
    ensure!(samples(&again, &known).count() > 1, "the second read has no processes");
    drop((memory, company));

    let mut checks = Checks::new();
    checks.equal("threads", sample.threads.map(u64::from), Some(after.threads));
    // And the one that the iterator is read by.
    checks.equal("open files", sample.open_files.map(u64::from), Some(after.open_files + 1));
    let rss = sample.rss_bytes();
    let slack = rss_slack_bytes(after.threads) + (1 << 20);
    checks.holds(
        rss.is_some_and(|rss| rss.abs_diff(before.rss_bytes) <= slack),
        format_args!("{rss:?} is not {} within {slack}", before.rss_bytes),
    );
    let used = sample.used.unwrap_or_default();
    let Used { cpu_ns, write_calls, written_bytes, .. } = used;
    checks.equal("write calls", write_calls, before.write_calls);
    checks.equal("written bytes", written_bytes, before.written_bytes);
    checks.equal("writes did not change meanwhile", before.write_calls, after.write_calls);
    checks.holds(
        cpu_ns.is_some_and(|cpu| {
            cpu + 2 * TICK_NS >= before.cpu_ns && cpu <= after.cpu_ns + 2 * TICK_NS
        }),
        format_args!("{cpu_ns:?} is not from {} to {}", before.cpu_ns, after.cpu_ns),
    );
    // A kernel thread has no memory of its own: kthreadd.
    let kthreadd = samples(&records, &known)
        .find(|sample| sample.process.comm == Some(b"kthreadd".as_slice()));
    if let Some(kthreadd) = kthreadd {
        checks.equal("memory of a kernel thread", kthreadd.rss_bytes(), None);
    }
    checks.verdict()
}

/// Threads that wait until they are let go.
struct Company {
    gate: Arc<Barrier>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Company {
    fn new() -> anyhow::Result<Self> {
        let gate = Arc::new(Barrier::new(THREADS as usize + 1));
        let wait = |_| {
            let gate = Arc::clone(&gate);
            // Each uses something that the leader's account does not have.
            let work = move || {
                let _ = fs::write("/dev/null", "x");
                gate.wait();
                gate.wait();
            };
            thread::Builder::new().spawn(work).context("start a thread")
        };
        let threads = (0..THREADS).map(wait).collect::<anyhow::Result<Vec<_>>>()?;
        gate.wait();
        Ok(Self { gate, threads })
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        self.gate.wait();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
