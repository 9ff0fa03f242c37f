//! Looks at what everybody uses: from a recorder where one runs, else from
//! probes of one's own, through the same lines; joined with what GPUs and a
//! store tell.

mod crash_eye;
mod own;
mod stream;

use std::{os::unix::net::UnixStream, time::Duration};

use anyhow::Context as _;

use self::{crash_eye::CrashEye, own::OwnTrace, stream::Stream};
use super::{
    attach,
    gpus::PATIENCE,
    last_hour::{counts, recent_crashes},
};
use crate::{
    cli::View,
    detect::{HealthFacts, health},
    gpu::{Depth, GpuMonitor, GpuReport, Library},
    kernel::{clock::boot_ns, namespace},
    model::{GpuSnapshot, Metric, Usage},
    pipeline::RuleFiles,
    screen::{Look, Looks},
    store::Place,
};

/// Where looks come from; the first has rates already.
///
/// # Errors
/// Nobody can look: with the remedy.
pub(super) fn source(view: &View) -> anyhow::Result<Box<dyn Looks + Send>> {
    // Wrong rules are told, whether they are needed or not.
    RuleFiles::new(view.personas.clone()).read()?;
    let interval = view.watch_options.interval.0;
    let feed = match recorder(view)? {
        Some(socket) => Feed { stream: Stream::start(socket)?, _own: None },
        None => {
            let (own, socket) = OwnTrace::start(view, interval)?;
            Feed { stream: Stream::start(socket)?, _own: Some(own) }
        }
    };
    let library = Library::new(view.nvml_library.clone());
    let monitor = GpuMonitor::start(library, Depth::Everything, interval, boot_ns)
        .context("cannot start the thread that looks at GPUs")?;
    let crashes = CrashEye::new(Place::new(&view.store));
    Ok(Box::new(Source { feed, gpus: GpuEye { monitor, last: None }, crashes }))
}

/// The socket of a recorder that lets us in; `None` where there is none.
fn recorder(view: &View) -> anyhow::Result<Option<UnixStream>> {
    // Rules of one's own need looks of one's own.
    let has_rules = !view.personas.is_empty() && !attach::is_chosen(&view.socket);
    if view.own_probes || has_rules {
        return Ok(None);
    }
    match UnixStream::connect(&view.socket) {
        Ok(socket) => attach::ask_for_looks(&socket)
            .with_context(|| format!("cannot attach to the recorder at {}", view.socket.display()))
            .map(|()| Some(socket)),
        Err(error) => attach::without(&view.socket, error).map(|_| None),
    }
}

struct Feed {
    /// Before the trace that feeds it, which ends when nobody reads.
    stream: Stream,
    _own: Option<OwnTrace>,
}

struct Source {
    feed: Feed,
    gpus: GpuEye,
    crashes: CrashEye,
}

impl Looks for Source {
    fn look(&mut self) -> anyhow::Result<Look> {
        let (mut usage, events) = self.feed.stream.next()?;
        let gpus = self.gpus.look();
        if let Some(gpus) = gpus.filter(|_| namespace::pids_are_the_machines()) {
            add_gpu_use(&mut usage, gpus);
        }
        let crashes = self.crashes.look(usage.wall_time);
        let alerts = self.crashes.open_alerts(usage.wall_time);
        let facts = HealthFacts {
            usage: &usage,
            gpus,
            crashes: &recent_crashes(crashes.as_deref().unwrap_or_default()),
            alerts: &alerts,
            store_failure: None,
        };
        let health = health(&facts);
        let gpus = gpus.cloned();
        Ok(Look { usage, gpus, crashes: crashes.map(|them| counts(&them)), health, events })
    }
}

/// The GPUs as they were last.
struct GpuEye {
    monitor: GpuMonitor,
    last: Option<GpuSnapshot>,
}

impl GpuEye {
    fn look(&mut self) -> Option<&GpuSnapshot> {
        while let Some(report) = self.monitor.try_next() {
            match report {
                GpuReport::Access(_) => self.last = None,
                GpuReport::Snapshot(snapshot) => self.last = Some(snapshot),
                GpuReport::Xid(_) => {}
            }
        }
        // One that has stalled says nothing of now.
        let now_ns = boot_ns();
        let is_fresh = |look: &&GpuSnapshot| {
            Duration::from_nanos(now_ns.saturating_sub(look.ktime_ns)) < PATIENCE
        };
        self.last.as_ref().filter(is_fresh)
    }
}

/// How busy each process keeps the GPUs, which a recorder does not ask for.
fn add_gpu_use(usage: &mut Usage, gpus: &GpuSnapshot) {
    for persona in &mut usage.personas {
        let mut sum = Some(0.0);
        for process in &mut persona.processes {
            let busy = busy_percent(gpus, process.key.tgid);
            process.figures.set(Metric::GpuPercent, busy);
            sum = sum.zip(busy).map(|(sum, busy)| sum + busy);
        }
        persona.figures.set(Metric::GpuPercent, sum);
    }
}

fn busy_percent(gpus: &GpuSnapshot, tgid: u32) -> Option<f64> {
    let mut sum = 0.0;
    for gpu in &gpus.gpus {
        for process in gpu.processes.as_ref()?.iter().filter(|process| process.tgid == tgid) {
            sum += f64::from(process.utilization?.sm_percent);
        }
    }
    Some(sum)
}
