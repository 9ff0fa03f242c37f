//! Cgroups: the hierarchies that are mounted, and folders in them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use genome_trace_tests_kernel::{Checks, Context, Suite, Unsupported};

/// Cgroups in the other hierarchies before those that count.
const BEFORE: usize = 300;
/// Cgroups in each other hierarchy after them, at most.
const AFTER: usize = 5_000;
/// Cgroups in the memory hierarchy, one of which another's id shall meet.
const CANDIDATES: u32 = 32;
const FEW: u64 = 5;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("cgroup::new_ones_in_another_hierarchy", new_ones_in_another_hierarchy);
}

/// Ids of cgroups are unique in one hierarchy only: those of the others must
/// not be taken for the one that processes are told by.
fn new_ones_in_another_hierarchy(context: &Context) -> anyhow::Result<()> {
    let memory = Hierarchy::of_memory_on_v1()?
        .ok_or_else(|| Unsupported("the memory controller is not on cgroup v1".into()))?;
    let others = Hierarchy::all_on_v1_without_memory()?;
    if others.is_empty() {
        return Err(Unsupported("there is one cgroup v1 hierarchy only".into()).into());
    }
    let tracer = context.tracer().start()?;
    for other in &others {
        other.new_ids(|ids| ids.len() < BEFORE.div_ceil(others.len()))?;
    }
    let candidates: Result<Vec<Cgroup>, _> =
        (0..CANDIDATES).map(|index| memory.new_cgroup(&format!("memory-{index}"))).collect();
    let candidates = candidates?;
    let last = candidates.last().context("no candidate")?;
    let last_id = last.id()?;
    // A hierarchy hands its ids out in order: these pass all candidates'. Of
    // two cgroups with one id the later is the one to be mistaken for the other.
    let mut ids = BTreeSet::new();
    for other in &others {
        ids.extend(other.new_ids(|ids| {
            ids.len() < AFTER && ids.last().is_none_or(|reached| *reached < last_id)
        })?);
    }
    let twice = candidates.iter().find(|one| one.id().is_ok_and(|id| ids.contains(&id)));
    if twice.is_none() {
        eprintln!("no two cgroups had one id here");
    }
    let cgroup = twice.unwrap_or(last);
    let held = context.workload("spawn-storm").option("--count", FEW).hold()?;
    cgroup.take_in(held.pid())?;
    let truth = held.release()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let (launcher, path) = (Some(truth.pid()?), cgroup.path());
    for kind in ["fork", "exec", "exit"] {
        let events = trace.events.kind(kind);
        let children = events.filter(|event| event.number("ppid") == launcher);
        let paths: Vec<_> = children.map(|event| event.text("cgroup_path")).collect();
        let wanted = vec![Some(path.as_str()); usize::try_from(FEW)?];
        checks.equal(format_args!("cgroup paths of {kind}"), paths, wanted);
    }
    checks.equal("lost cgroup", trace.loss.of("cgroup"), 0);
    trace.check_no_lifecycle_lost(&mut checks);
    checks.verdict()
}

/// A mounted hierarchy.
pub(crate) struct Hierarchy {
    root: PathBuf,
}

/// A limit of CPU time, in microseconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CpuLimit {
    quota: Option<u64>,
    period: u64,
}

impl CpuLimit {
    /// In percent of one processor; none where there is no limit.
    pub(crate) fn percent(&self) -> Option<u64> {
        (self.quota? * 100).checked_div(self.period)
    }
}

/// A cgroup that goes with this value.
pub(crate) struct Cgroup {
    root: PathBuf,
    folder: PathBuf,
}

impl Hierarchy {
    /// The one that processes are told by: the memory controller's where that
    /// is on version 1, else version 2.
    pub(crate) fn told_by() -> anyhow::Result<Self> {
        if let Some(memory) = Self::of_memory_on_v1()? {
            return Ok(memory);
        }
        let unified = Self::mounted(|kind, _| kind == "cgroup2")?;
        Ok(unified.ok_or_else(|| Unsupported("no cgroup hierarchy is mounted".into()))?)
    }

    /// The one that has limits of CPU time.
    pub(crate) fn of_cpu() -> anyhow::Result<Self> {
        let has_cpu = |options: &str| options.split(',').any(|option| option == "cpu");
        let on_v1 = Self::mounted(|kind, options| kind == "cgroup" && has_cpu(options))?;
        if let Some(on_v1) = on_v1 {
            return Ok(on_v1);
        }
        let unified = Self::mounted(|kind, _| kind == "cgroup2")?;
        let unified =
            unified.ok_or_else(|| Unsupported("no cgroup hierarchy is mounted".into()))?;
        // A child has the controller where its parent hands it down.
        fs::write(unified.root.join("cgroup.subtree_control"), "+cpu")
            .map_err(|error| Unsupported(format!("no CPU controller: {error}")))?;
        Ok(unified)
    }

    fn of_memory_on_v1() -> anyhow::Result<Option<Self>> {
        Self::mounted(|kind, options| kind == "cgroup" && has_memory(options))
    }

    fn all_on_v1_without_memory() -> anyhow::Result<Vec<Self>> {
        Self::all_mounted(|kind, options| kind == "cgroup" && !has_memory(options))
    }

    fn mounted(wanted: impl Fn(&str, &str) -> bool) -> anyhow::Result<Option<Self>> {
        Ok(Self::all_mounted(wanted)?.into_iter().next())
    }

    fn all_mounted(wanted: impl Fn(&str, &str) -> bool) -> anyhow::Result<Vec<Self>> {
        let mounts = fs::read_to_string("/proc/self/mounts").context("read the mounts")?;
        let mounted = mounts.lines().filter_map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let [_, root, kind, options, ..] = fields.as_slice() else { return None };
            wanted(kind, options).then(|| Self { root: PathBuf::from(root) })
        });
        Ok(mounted.collect())
    }

    /// A new cgroup below the hierarchy's root.
    pub(crate) fn new_cgroup(&self, purpose: &str) -> anyhow::Result<Cgroup> {
        let name = format!("genome-trace-{purpose}-{}", std::process::id());
        let folder = self.root.join(name);
        fs::create_dir(&folder).with_context(|| format!("make cgroup {}", folder.display()))?;
        Ok(Cgroup { root: self.root.clone(), folder })
    }

    /// The ids of new cgroups, made and removed as long as `go_on` says.
    fn new_ids(&self, go_on: impl Fn(&[u64]) -> bool) -> anyhow::Result<Vec<u64>> {
        let mut ids = Vec::new();
        while go_on(&ids) {
            ids.push(self.new_cgroup(&format!("other-{}", ids.len()))?.id()?);
        }
        Ok(ids)
    }
}

fn has_memory(options: &str) -> bool {
    options.split(',').any(|option| option == "memory")
}

impl Cgroup {
    /// Moves a process in.
    pub(crate) fn take_in(&self, pid: u32) -> anyhow::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), pid.to_string())
            .with_context(|| format!("move {pid} into {}", self.folder.display()))
    }

    /// Limits its memory; gives the limit that the kernel took.
    pub(crate) fn limit_memory(&self, bytes: u64) -> anyhow::Result<u64> {
        let (one, two) = ("memory.limit_in_bytes", "memory.max");
        let file = if self.folder.join(one).exists() {
            one
        } else {
            // A child has the controller where its parent hands it down.
            let hand_down = self.root.join("cgroup.subtree_control");
            fs::write(hand_down, "+memory")
                .map_err(|error| Unsupported(format!("no memory controller: {error}")))?;
            two
        };
        let file = self.folder.join(file);
        fs::write(&file, bytes.to_string()).with_context(|| format!("write {}", file.display()))?;
        let taken = fs::read_to_string(&file);
        let taken = taken.with_context(|| format!("read {}", file.display()))?;
        taken.trim().parse().with_context(|| format!("{} is no number: {taken}", file.display()))
    }

    /// The same, and nothing of it is swapped out.
    pub(crate) fn limit_memory_and_swap(&self, bytes: u64) -> anyhow::Result<u64> {
        let taken = self.limit_memory(bytes)?;
        let limits = [("memory.memsw.limit_in_bytes", taken), ("memory.swap.max", 0)];
        for (file, limit) in limits {
            let file = self.folder.join(file);
            // Kernels that do not account for swap have neither.
            if file.exists() {
                fs::write(&file, limit.to_string())
                    .with_context(|| format!("write {}", file.display()))?;
            }
        }
        Ok(taken)
    }

    /// Its limit of CPU time, as the kernel has it.
    pub(crate) fn cpu_limit(&self) -> anyhow::Result<CpuLimit> {
        if self.folder.join("cpu.max").exists() {
            let text = self.read("cpu.max")?;
            let (quota, period) = text.split_once(' ').context("cpu.max without a period")?;
            return Ok(CpuLimit { quota: quota.parse().ok(), period: period.parse()? });
        }
        let quota: i64 = self.read("cpu.cfs_quota_us")?.parse().context("a quota")?;
        let period = self.read("cpu.cfs_period_us")?.parse().context("a period")?;
        Ok(CpuLimit { quota: u64::try_from(quota).ok(), period })
    }

    /// In how many periods it was held up.
    pub(crate) fn times_throttled(&self) -> anyhow::Result<u64> {
        let text = self.read("cpu.stat")?;
        let line = text.lines().find_map(|line| line.strip_prefix("nr_throttled "));
        line.and_then(|line| line.parse().ok()).with_context(|| format!("no nr_throttled: {text}"))
    }

    fn read(&self, name: &str) -> anyhow::Result<String> {
        let file = self.folder.join(name);
        let text = fs::read_to_string(&file);
        Ok(text.with_context(|| format!("read {}", file.display()))?.trim_end().to_owned())
    }

    /// The kernel's number for it, unique in its hierarchy.
    fn id(&self) -> anyhow::Result<u64> {
        let metadata = fs::metadata(&self.folder);
        Ok(metadata.with_context(|| format!("ask about {}", self.folder.display()))?.ino())
    }

    /// The path as the kernel has it, from the hierarchy's root.
    pub(crate) fn path(&self) -> String {
        let below = self.folder.strip_prefix(&self.root);
        let path = Path::new("/").join(below.unwrap_or(&self.folder));
        path.display().to_string()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}
