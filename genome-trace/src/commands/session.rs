//! From what is asked for to a pipeline's parts, with the probes attached, and
//! the end of a run: what all who trace share.

use std::{convert::Infallible, fs, path::PathBuf, process, time::Duration};

use anyhow::{Context as _, bail};
use tokio::signal::unix::{SignalKind, signal};

use super::setup;
use crate::{
    kernel::{cgroup::Hierarchy, held::Held, machine, namespace::pids_are_the_machines},
    model::{EventKind, Process},
    persona::Rules,
    pipeline::{Attribution, Failure, Filter, KernelFilter, Known, Parts, RuleFiles},
    probe::{AttachError, ModeChoice, Object, Plan, Request, Rings, Scope, Tasks},
    source::{Counts, Hot, Losses, Ring, StderrTails, Watched, mark_blocks},
    wire::tasks,
};

/// Processes whose standard error is kept at the same time: 12 KiB each.
const STDERR_TAILS: u32 = 256;

/// What a run is asked for.
pub(super) struct Wishes {
    /// How to see files.
    pub(super) mode: ModeChoice,
    /// The file kinds that are wanted.
    pub(super) file_kinds: Vec<EventKind>,
    /// Only these processes and their descendants; all where empty.
    pub(super) pids: Vec<u32>,
    /// Only these personas; all where empty.
    pub(super) personas: Vec<String>,
    /// Rules before the machine's own.
    pub(super) rule_files: Vec<PathBuf>,
    /// A process whose files are not counted.
    pub(super) excluded_tgid: Option<u32>,
    /// The end of what personas' processes write to standard error is kept.
    pub(super) keeps_stderr: bool,
    /// Sizes of what the kernel side keeps.
    pub(super) rings: Rings,
    /// What is shown.
    pub(super) filter: Filter,
}

/// Attached probes, and all that a pipeline needs.
pub(super) struct Session {
    pub(super) parts: Parts,
    pub(super) plan: Plan,
    /// Ends of standard error, where they are kept.
    pub(super) stderr: Option<StderrTails>,
}

/// What can be refused before anything is touched.
pub(super) struct Granted {
    wishes: Wishes,
    rule_files: RuleFiles,
    rules: Rules,
    held: Option<HeldTree>,
}

/// The tree of a process that waits for being watched.
struct HeldTree {
    pid: u32,
    /// By which it is found where its PID is another to the kernel.
    name: Box<[u8]>,
}

impl Wishes {
    /// All that happens on the machine but for what this process does.
    pub(super) fn of_whole_machine(
        mode: ModeChoice,
        rule_files: Vec<PathBuf>,
        rings: Rings,
    ) -> Self {
        let excluded_tgid = Some(process::id());
        Self {
            mode,
            file_kinds: EventKind::ALL.into_iter().filter(|kind| kind.is_file()).collect(),
            pids: Vec::new(),
            personas: Vec::new(),
            rule_files,
            excluded_tgid,
            keeps_stderr: false,
            rings,
            filter: Filter { excluded_tgid, ..Filter::default() },
        }
    }

    /// Refuses what cannot be done, with the remedy, before a probe is
    /// attached.
    pub(super) fn grant(self) -> anyhow::Result<Granted> {
        require_processes(&self.pids)?;
        let rule_files = RuleFiles::new(self.rule_files.clone());
        let rules = rule_files.read()?;
        setup::require_version()?;
        setup::require_privileges()?;
        Ok(Granted { wishes: self, rule_files, rules, held: None })
    }
}

impl Granted {
    /// Whether the end of what personas' processes write to standard error is
    /// kept.
    pub(super) fn keep_stderr(&mut self, keeps: bool) {
        self.wishes.keeps_stderr = keeps;
    }

    /// Watches what comes of a process that waits, and of nobody else.
    pub(super) fn watch(&mut self, held: &Held) {
        self.held = Some(HeldTree { pid: held.pid(), name: held.name().into() });
        self.wishes.filter.only_in_tree = true;
    }

    /// Attaches the probes. Signals should be handled by now, so that a Ctrl-C
    /// from here on ends the run in order.
    pub(super) fn attach(self) -> anyhow::Result<Session> {
        let Self { wishes, rule_files, rules, held } = self;
        let Wishes {
            mode,
            file_kinds,
            pids,
            personas,
            excluded_tgid,
            keeps_stderr,
            rings,
            filter,
            ..
        } = wishes;
        let hierarchy = Hierarchy::find();
        let in_v1_memory = hierarchy.as_ref().is_some_and(|hierarchy| hierarchy.is_v1_memory());
        let hierarchy_id = hierarchy.as_ref().map_or(0, |hierarchy| hierarchy.id);
        let request = Request { mode, file_kinds: file_kinds.clone() };
        let processors = setup::possible_processors();
        let mut kernel = setup::examine(true)?;
        let scope = Scope {
            excluded_tgid,
            only_watched: held.is_some() || !pids.is_empty() || !personas.is_empty(),
            cgroup_v1_memory: in_v1_memory,
            file_kinds,
            has_backups: kernel.support.preemption.is_any(),
            wants_candidates: !personas.is_empty(),
            processors,
            keeps_stderr,
        };
        let rings = Rings {
            mark_blocks: marks(scope.only_watched || keeps_stderr),
            stderr_tails: if keeps_stderr { STDERR_TAILS } else { 1 },
            ..rings
        };
        let (mut object, plan) = setup::attach(&mut kernel, &request, &scope, rings)?;
        // Of a command the rest is worth having.
        if held.is_none() {
            require_mode(&plan, &request)?;
        }
        // After the probes, which tell who comes later.
        let (tasks_now, task_records) = read_tasks(&mut object);
        let probes = object.into_probes()?;
        let page_size = machine::page_size();
        // After the probes, so that a cgroup made meanwhile is in one or the other.
        let cgroups = hierarchy.map(|hierarchy| hierarchy.scan()).unwrap_or_default();
        let known = Known::new(cgroups, hierarchy_id, page_size);
        let mut watched =
            Watched::new(probes.watched, &probes.watch_marks, rings.mark_blocks, page_size)
                .context("cannot map the marks of watched processes")?;
        for pid in &pids {
            watched
                .add_tree(*pid)
                .with_context(|| format!("cannot watch process {pid} and its descendants"))?;
        }
        let mut root = None;
        if let Some(held) = &held {
            let records = task_records.as_deref().unwrap_or_default();
            let tgid = held.tgid(tasks(records, &known));
            let tgid = tgid.context(
                "cannot watch the command: the kernel does not tell under which number it knows \
                 the processes of this container; share the host's PIDs (--pid=host)",
            )?;
            watched.add_root(tgid).context("cannot watch the command")?;
            root = Some(tgid);
        }
        // A persona may begin at any exec; a tree that has ended stays so.
        let (trees, kernel_filter) = if personas.is_empty() {
            ((held.is_some() || !pids.is_empty()).then_some(watched), None)
        } else {
            (None, Some(KernelFilter::new(watched, personas)))
        };
        let mut attribution = Attribution::new(rules, kernel_filter);
        match task_records {
            Ok(records) => attribution.found(tasks(&records, &known)),
            Err(error) => eprintln!(
                "genome-trace: {error}; processes that run already get their personas at their \
                 first event"
            ),
        }
        let mut stderr = keeps_stderr
            .then(|| {
                StderrTails::new(
                    probes.stderr_tails,
                    &probes.watch_marks,
                    rings.mark_blocks,
                    page_size,
                )
            })
            .transpose()
            .context("cannot map the marks of processes whose standard error is kept")?;
        if let (Some(stderr), Some(root)) = (&mut stderr, root) {
            stderr.keep(root);
        }
        let hot = Hot::new(&probes.hot, processors, page_size)
            .context("cannot map the counts of busy files")?;
        let ring =
            |map, bytes| Ring::new(map, bytes, page_size).context("cannot map a ring buffer");
        let parts = Parts {
            object: probes.object,
            lifecycle: ring(probes.lifecycle, rings.lifecycle_bytes)?,
            io: ring(probes.io, rings.io_bytes)?,
            counts: Counts::new(probes.counts, hot, probes.epoch, rings.counts),
            losses: Losses::new(probes.lost, probes.rescued),
            known,
            attribution,
            rule_files,
            filter,
            keep: None,
            requests: None,
            gpus: None,
            recording: None,
            trees,
            tree: None,
            tasks: tasks_now,
            sampling: None,
            alerts: None,
        };
        machine::trim_memory();
        Ok(Session { parts, plan, stderr })
    }
}

impl HeldTree {
    /// The number that the kernel knows it by.
    fn tgid<'a>(&self, mut there_are: impl Iterator<Item = Process<'a>>) -> Option<u32> {
        let found = there_are.find(|process| process.comm == Some(&self.name));
        let same = pids_are_the_machines().then_some(self.pid);
        found.map(|process| process.key.tgid).or(same)
    }
}

/// What tells the processes that there are, and what it tells now.
fn read_tasks(object: &mut Object) -> (Option<Tasks>, Result<Vec<u8>, AttachError>) {
    let read = |tasks: Tasks| {
        let records = tasks.read().map_err(|error| AttachError::Tasks(error.to_string()));
        (Some(tasks), records)
    };
    object.tasks().map_or_else(|error| (None, Err(error)), read)
}

/// Room for the marks of watched processes: none where everybody is watched.
fn marks(only_watched: bool) -> u32 {
    mark_blocks(if only_watched { machine::pids() } else { 0 })
}

/// The event loop: one thread.
pub(super) fn event_loop() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")
}

/// Ready when the run is to end: Ctrl-C, SIGTERM, or the time is up. The
/// handlers are in place when this returns.
pub(super) fn stop(duration: Option<Duration>) -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    Ok(async move {
        let timeout = async {
            match duration {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = timeout => {}
        }
    })
}

/// Runs to the end, with what goes on beside it meanwhile.
pub(super) async fn beside<T>(
    run: impl Future<Output = T>,
    attending: impl Future<Output = Infallible>,
) -> T {
    tokio::select! {
        ended = run => ended,
        never = attending => match never {},
    }
}

/// A run's failure as a sentence.
pub(super) fn told(result: Result<(), Failure>) -> anyhow::Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(Failure::Write(error)) => Err(error).context("cannot write events to stdout"),
        Err(Failure::Record(error)) => Err(error).context("cannot write the recording"),
        Err(Failure::Read(error)) => Err(error).context("cannot read events from the kernel"),
        Err(Failure::Decode(error)) => Err(error).context(
            "cannot read a record: the BPF object and this binary are of different builds; \
             build again with cargo xtask build-ebpf",
        ),
    }
}

fn require_processes(pids: &[u32]) -> anyhow::Result<()> {
    for pid in pids {
        if !fs::exists(format!("/proc/{pid}")).unwrap_or(true) {
            bail!("cannot follow process {pid}: there is no process with this PID");
        }
    }
    Ok(())
}

/// Files were asked for, so there must be a way to see them.
fn require_mode(plan: &Plan, request: &Request) -> anyhow::Result<()> {
    if plan.mode.is_some() || request.file_kinds.is_empty() {
        return Ok(());
    }
    let reasons: Vec<_> = plan
        .modes
        .iter()
        .filter(|(mode, _)| request.mode.candidates().any(|candidate| candidate == *mode))
        .filter_map(|(mode, usable)| Some(format!("{mode}: {}", usable.as_ref().err()?)))
        .collect();
    bail!(
        "cannot see files in mode {}: {}. Use --probe-mode=auto, or leave files out with \
         --kind=exec,fork,exit,signal,oom_kill",
        request.mode,
        reasons.join("; ")
    );
}
