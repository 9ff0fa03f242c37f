//! One run of the command: watched from before its first instruction until it
//! has ended.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io,
    path::Path,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;

use super::{
    super::{
        config::Config,
        gpus,
        session::{self, Granted, Session, Wishes},
        setup,
    },
    attend::Conductor,
    crashes::CrashList,
    gaps,
    names::Names,
};
use crate::{
    cli::{Interval, Run as Options},
    detect::CrashWatch,
    kernel::{
        clock, held::Held, log::KERNEL_LOG, namespace::pids_are_the_machines, process::is_there,
    },
    model::{Event, GpuAccess, Payload, ProcessKey, Run, RunMetric, RunReport},
    pipeline::{CrashJudge, GpuParts, Keep, Pipeline, TreeParts},
    probe::ModeChoice,
    render::GpuNotice,
    sink::Sink,
    store::Store,
    symbolize::Symbolizer,
    usage::{RunAccount, RunEnd},
};

/// How often GPUs are looked at: often enough for a short test, and seldom
/// enough for the driver, which takes some milliseconds.
const GPU_INTERVAL: Duration = Duration::from_millis(250);

/// What became of the command.
pub(super) enum Ran {
    /// It could not be executed.
    Not(io::Error),
    /// It ran.
    Run(Box<Done>),
}

/// A run, what of it is unknown and why, and how files were seen.
pub(super) struct Done {
    pub(super) run: Run,
    unknown: BTreeMap<RunMetric, String>,
    mode: Option<String>,
    uncounted: Vec<String>,
}

/// Refuses what cannot be done here, before the command is started.
pub(super) fn grant(options: &Options) -> anyhow::Result<Granted> {
    let mode = match options.probe_mode {
        ModeChoice::Auto => ModeChoice::Brief,
        wanted => wanted,
    };
    Wishes::of_whole_machine(mode, Vec::new(), setup::default_rings()).grant()
}

/// Attached probes, and who looks at GPUs.
pub(super) struct Watch {
    session: Session,
    gpus: Option<GpuParts>,
    gpu_reason: GpuReason,
}

/// Watches the command that waits.
///
/// # Errors
/// This machine does not let it.
pub(super) fn watch(
    options: &Options,
    config: &Config,
    mut granted: Granted,
    held: &Held,
) -> anyhow::Result<Watch> {
    let gpu_reason = GpuReason::default();
    // Before the probes, so that it is known by then whether there are any.
    let gpus = gpu_parts(options, &gpu_reason)?;
    granted.watch(held);
    granted.keep_stderr(config.captures_stderr());
    Ok(Watch { session: granted.attach()?, gpus, gpu_reason })
}

/// Lets the command go, and waits for its end.
pub(super) fn run(
    options: &Options,
    config: &Config,
    watch: Watch,
    held: Held,
    (conductor, names): (&Conductor, &Names),
) -> anyhow::Result<Ran> {
    let Watch { session: Session { mut parts, plan, stderr }, gpus, gpu_reason } = watch;
    let mut unknown = gaps::unknown(&plan, parts.tasks.is_some());
    let account = Rc::new(RefCell::new(RunAccount::new(Box::new(names.clone()))));
    let crashes = Arc::new(CrashList::default());
    let symbolizer = Symbolizer::start(is_there)
        .context("cannot start the thread that names the functions of a crash")?;
    let store = Arc::clone(&crashes) as Arc<dyn Store>;
    parts.keep = Some(Keep::new(store, judge(config), stderr, Some(symbolizer)));
    parts.gpus = gpus;
    let looked = Rc::clone(&account);
    parts.tree = Some(TreeParts { looked: Box::new(move |look| looked.borrow_mut().look(look)) });
    let runtime = session::event_loop()?;
    let (started, begun) = (clock::now(), Instant::now());
    let pid = held.pid();
    // The child is waited for by its number.
    if let Err(error) = held.release() {
        return Ok(Ran::Not(error));
    }
    let ended = RefCell::new(None);
    let stop = async {
        let outcome = conductor.attend(pid).await;
        let wall_ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        *ended.borrow_mut() = Some(outcome.map(|outcome| (outcome, wall_ns)));
        let is_over = || account.borrow().is_over();
        let is_after_all = || !account.borrow().left().any(may_be_there);
        // One that cannot be waited for is seen to be over all the same.
        let _ = conductor.await_rest(options.wait, is_over, is_after_all).await;
    };
    let heard = Heard(Rc::clone(&account));
    let (_, result) = runtime.block_on(Pipeline::new(parts, heard).run(stop));
    let ended = match ended.into_inner() {
        Some(ended) => ended,
        // The trace has failed; the command is waited for all the same.
        None => runtime.block_on(conductor.attend(pid)).map(|outcome| (outcome, 0)),
    };
    session::told(result)?;
    let (outcome, wall_ns) = ended.context("cannot wait for the command")?;
    let end = RunEnd { outcome, started, wall_ns, crashes: crashes.take() };
    let account = account.replace(RunAccount::new(Box::new(names.clone())));
    let (run, more) = account.finish(end, may_be_there);
    unknown.extend(more);
    if run.figures.get(RunMetric::PeakVramBytes).is_none() {
        unknown.insert(RunMetric::PeakVramBytes, gpu_reason.get());
    }
    let mode = plan.mode.map(|mode| mode.name().to_owned());
    Ok(Ran::Run(Box::new(Done { run, unknown, mode, uncounted: gaps::uncounted(&plan) })))
}

/// Adds a run to the report; what of its writes was not counted.
pub(super) fn add(report: &mut RunReport, done: Done) -> Vec<String> {
    let Done { run, unknown, mode, uncounted } = done;
    report.machine.mode = mode;
    report.runs.push(run);
    for (metric, why) in unknown {
        report.unobserved.entry(metric).or_insert(why);
    }
    for run in &mut report.runs {
        for metric in report.unobserved.keys() {
            run.figures.set(*metric, None);
        }
    }
    uncounted
}

/// Whether a process that nobody saw end is there. In a container its number is
/// another there.
fn may_be_there(key: ProcessKey) -> bool {
    !pids_are_the_machines() || is_there(key)
}

/// Judges the ends of the tree's processes alone.
fn judge(config: &Config) -> CrashJudge {
    let mut watch = CrashWatch::new(config.crash_policy());
    let mut has_begun = false;
    Box::new(move |event| {
        if !event.process.is_some_and(|process| process.watch.in_tree) {
            return None;
        }
        // The command was forked before there was a probe, and has done nothing
        // until its exec: it is watched from its start, as whatever it forks.
        if !std::mem::replace(&mut has_begun, true) {
            watch.hear(&Event { payload: Payload::Fork, ..*event });
        }
        watch.hear(event)
    })
}

/// Takes the tree's events.
struct Heard(Rc<RefCell<RunAccount>>);

impl Sink for Heard {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.0.borrow_mut().hear(event);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why GPU memory is unknown.
#[derive(Clone, Default)]
struct GpuReason(Arc<Mutex<Option<String>>>);

impl GpuReason {
    fn set(&self, notice: &GpuNotice<'_>) {
        let GpuNotice::Access { access, library } = notice else { return };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = match access {
            GpuAccess::Ready => None,
            GpuAccess::NoLibrary => Some(format!("there is no library {library}, and so no GPU")),
            GpuAccess::NoDriver => Some("the NVIDIA driver is not loaded".to_owned()),
            GpuAccess::Stalled => Some("the NVIDIA driver does not answer".to_owned()),
            GpuAccess::Failed(why) => Some(format!("the library {library} cannot be used: {why}")),
        };
    }

    fn get(&self) -> String {
        let why = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        why.unwrap_or_else(|| "the GPUs were not looked at before it was over".to_owned())
    }
}

/// Who looks at GPUs. Nothing is said of them while the command runs.
fn gpu_parts(options: &Options, reason: &GpuReason) -> anyhow::Result<Option<GpuParts>> {
    let interval = Interval::Every(GPU_INTERVAL);
    let parts = gpus::parts(interval, &options.nvml_library, Path::new(KERNEL_LOG))?;
    let reason = reason.clone();
    Ok(parts.map(|parts| GpuParts {
        // Its absence is told where its figures would be.
        is_asked_for: true,
        say: Box::new(move |notice| reason.set(notice)),
        ..parts
    }))
}
