//! What everybody is told to use is what /proc says: workers at rest, whose
//! memory, threads and files stay, and all that they did before they rested.

mod figures;
mod meter;
mod told;
mod worker;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Context as _;
use genome_trace::kernel::clock;
use genome_trace::model::{Usage, WallTime};
use genome_trace_tests_kernel::{
    Checks, Context, Held, Looks, Place, ProcFigures, Recorder, Resting, Suite,
};

use self::worker::{Known, LIMITED, WORKERS};
use crate::cgroup::Hierarchy;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("usage::figures_are_the_truth", figures_are_the_truth);
}

const LIMIT_BYTES: u64 = 256 << 20;

fn figures_are_the_truth(context: &Context) -> anyhow::Result<()> {
    let (place, files) = (Place::new(context)?, context.folder()?);
    let cgroup = Hierarchy::told_by()?.new_cgroup("truth")?;
    let limit_bytes = cgroup.limit_memory(LIMIT_BYTES)?;
    let recorder = Recorder(place.recorder(context).start_into(Stdio::null())?);
    let looks = Looks::attach(&place.socket(), context.deadline)?;
    let mut seen = vec![looks.next()?];
    let mut held = Vec::new();
    for (index, worker) in WORKERS.iter().enumerate() {
        held.push(worker.hold(context, &files.path().join(index.to_string()))?);
    }
    let limited = WORKERS.iter().zip(&held).find(|(worker, _)| worker.persona == LIMITED);
    let limited = limited.context("no worker has a limit")?.1.pid();
    cgroup.take_in(limited)?;

    // What the one that works longest has used is read all the while.
    let (is_over, tracer) = (AtomicBool::new(false), recorder.0.pid());
    let (resting, readings) = thread::scope(|scope| {
        let meter = scope.spawn(|| meter::read_until(&is_over, limited, tracer));
        let resting = settle(held, &looks, &mut seen);
        is_over.store(true, Ordering::Relaxed);
        (resting, meter.join())
    });
    let resting = resting?;
    let readings = readings.map_err(|_| anyhow::anyhow!("a thread has panicked"))??;
    let all_of_proc = || {
        let figures = resting.iter().map(|worker| ProcFigures::of(worker.pid()));
        figures.collect::<anyhow::Result<Vec<_>>>()
    };
    let before = all_of_proc()?;
    let stats = place.ask(context, &["--stats"])?;
    let mut reports = BTreeMap::new();
    for name in WORKERS.iter().map(|worker| worker.persona) {
        reports.insert(name, place.ask(context, &["--genome-id", name])?);
    }
    let mut checks = Checks::new();
    checks.equal("figures of /proc at rest", &all_of_proc()?, &before);

    let workers: Vec<Known> = WORKERS
        .iter()
        .zip(&resting)
        .zip(&before)
        .map(|((worker, resting), proc)| Known { worker, pid: resting.pid(), proc: *proc })
        .collect();
    for (known, resting) in workers.iter().zip(&resting) {
        known.check_account(&mut checks, resting)?;
        figures::check_looks(&mut checks, known, &seen);
    }
    meter::check(&mut checks, &readings, &seen, limited);
    for (name, report) in &reports {
        let of_name: Vec<&Known> =
            workers.iter().filter(|known| known.worker.persona == *name).collect();
        figures::check_persona(&mut checks, name, &of_name, &seen, limit_bytes);
        told::check_told(&mut checks, name, &of_name, &stats, report, limit_bytes);
    }
    for resting in resting {
        resting.finish()?;
    }
    let recorded = recorder.stop(&place.store())?;
    checks.equal("items not stored", recorded.not_stored, 0);
    checks.equal("events lost", recorded.trace.loss.lost, 0);
    told::check_store(&mut checks, &place.store(), &seen)?;
    checks.verdict()
}

/// Lets all of them work, and returns when a look was taken of a time at which
/// all rested.
fn settle(held: Vec<Held>, looks: &Looks, seen: &mut Vec<Usage>) -> anyhow::Result<Vec<Resting>> {
    let resting = held.into_iter().map(Held::settle).collect::<anyhow::Result<Vec<_>>>()?;
    let since = clock::now();
    loop {
        let look = looks.next()?;
        let is_of_rest = began(&look).is_some_and(|at| at > since);
        seen.push(look);
        if is_of_rest {
            return Ok(resting);
        }
    }
}

/// When the time that a look's rates are over began.
fn began(look: &Usage) -> Option<WallTime> {
    let interval_ns = i64::try_from(look.interval_ns?).ok()?;
    Some(WallTime { unix_ns: look.wall_time.unix_ns.saturating_sub(interval_ns) })
}
