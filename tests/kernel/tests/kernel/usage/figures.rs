//! Figures of looks, held against what workers have and have done.

use genome_trace::model::{Figures, Metric, PersonaUsage, Usage};
use genome_trace_tests_kernel::{Checks, TICK_NS, rss_slack_bytes};

use super::worker::{Known, LIMITED, Worker};

/// What the looks have of the process.
pub(super) fn check_looks(checks: &mut Checks, known: &Known, seen: &[Usage]) {
    let name = known.name();
    let of = |usage: &Usage| figures_of_process(usage, known.pid);
    let last = seen.last().and_then(of);
    check_rest(checks, &name, &[known], |metric| last?.get(metric));
    check_deeds(checks, &name, &[known], seen, of);
    let cpu_ns = total(seen, of, Metric::CpuPercent) * 1e7;
    checks.holds(
        is_cpu_of_proc(cpu_ns, known.proc.cpu_ns),
        format_args!("CPU time of {name}: {cpu_ns} ns, by /proc {}", known.proc.cpu_ns),
    );
}

/// Within a tick: /proc cuts the user's and the system's part to one, each; and
/// what a process used until the look that first saw it may be unknown.
pub(super) fn is_cpu_of_proc(cpu_ns: f64, proc_ns: u64) -> bool {
    let (proc_ns, tick_ns) = (proc_ns as f64, TICK_NS as f64);
    cpu_ns >= proc_ns - tick_ns && cpu_ns <= proc_ns + 2.0 * tick_ns
}

pub(super) fn figures_of_process(usage: &Usage, pid: u32) -> Option<Figures> {
    let mut processes = usage.personas.iter().flat_map(|persona| &persona.processes);
    processes.find(|process| process.key.tgid == pid).map(|process| process.figures)
}

pub(super) fn usage_of_persona<'a>(usage: &'a Usage, name: &str) -> Option<&'a PersonaUsage> {
    usage.personas.iter().find(|it| it.persona.name == name)
}

/// A rate times the time that it is over, summed up over all looks. Where it is
/// unknown at one, the next one tells it of both.
pub(super) fn total(seen: &[Usage], of: impl Fn(&Usage) -> Option<Figures>, metric: Metric) -> f64 {
    let (mut sum, mut seconds) = (0.0, 0.0);
    let mut is_known = false;
    for look in seen {
        let Some(figures) = of(look) else { continue };
        let Some(interval_ns) = look.interval_ns else { continue };
        let this = interval_ns as f64 / 1e9;
        match figures.get(metric) {
            Some(rate) => {
                sum += rate * (seconds + this);
                (seconds, is_known) = (0.0, true);
            }
            None if is_known => seconds += this,
            None => {}
        }
    }
    sum
}

/// Memory, threads and files of workers together, from wherever they are told.
pub(super) fn check_rest(
    checks: &mut Checks,
    name: &str,
    workers: &[&Known],
    figure: impl Fn(Metric) -> Option<f64>,
) {
    let sum = |of: fn(&Known) -> u64| workers.iter().map(|known| of(known)).sum::<u64>();
    for (metric, wanted) in [
        (Metric::Processes, sum(|_| 1)),
        (Metric::Threads, sum(|known| known.proc.threads)),
        (Metric::OpenFiles, sum(|known| known.proc.open_files)),
        (Metric::WriteCallsPerSecond, 0),
        (Metric::WrittenBytesPerSecond, 0),
        (Metric::FilesCreatedPerSecond, 0),
        (Metric::SpawnsPerSecond, 0),
    ] {
        let what = format!("{} of {name} at rest", metric.name());
        checks.equal(what, figure(metric), Some(wanted as f64));
    }
    let rss_bytes = sum(|known| known.proc.walked_rss_bytes) as f64;
    let slack = sum(|known| rss_slack_bytes(known.proc.threads)) as f64;
    checks.holds(
        figure(Metric::RssBytes).is_some_and(|told| (told - rss_bytes).abs() <= slack),
        format_args!(
            "memory of {name}: {:?} is not {rss_bytes} within {slack}",
            figure(Metric::RssBytes)
        ),
    );
    // Of one processor for the second between two looks a tick is a hundredth.
    checks.holds(
        figure(Metric::CpuPercent).is_some_and(|percent| (0.0..=1.0).contains(&percent)),
        format_args!("CPU time of {name} at rest: {:?} %", figure(Metric::CpuPercent)),
    );
}

/// Calls and files of workers together: the rates of all looks make up the
/// whole.
pub(super) fn check_deeds(
    checks: &mut Checks,
    name: &str,
    workers: &[&Known],
    seen: &[Usage],
    of: impl Fn(&Usage) -> Option<Figures>,
) {
    let sum = |of: fn(&Worker) -> u64| workers.iter().map(|known| of(known.worker)).sum::<u64>();
    for (metric, wanted) in [
        (Metric::WriteCallsPerSecond, sum(|worker| worker.writes)),
        (Metric::WrittenBytesPerSecond, sum(|worker| worker.writes)),
        (Metric::FilesCreatedPerSecond, sum(|worker| worker.files)),
        (Metric::SpawnsPerSecond, 0),
    ] {
        let told = total(seen, &of, metric);
        // A rate is a number with 15 digits.
        checks.holds(
            (told - wanted as f64).abs() < 1e-6,
            format_args!("{} of {name} make up {told}, not {wanted}", metric.name()),
        );
    }
}

/// What the looks have of a persona as a whole.
pub(super) fn check_persona(
    checks: &mut Checks,
    name: &str,
    workers: &[&Known],
    seen: &[Usage],
    limit_bytes: u64,
) {
    let last = seen.last().and_then(|usage| usage_of_persona(usage, name));
    let Some(last) = last else {
        checks.fail(format_args!("the last look does not have {name}"));
        return;
    };
    let of = |usage: &Usage| usage_of_persona(usage, name).map(|it| it.figures);
    check_rest(checks, name, workers, |metric| last.figures.get(metric));
    check_deeds(checks, name, workers, seen, of);
    // Where that of one was unknown at a look, that of both is.
    let is_known = |figures: &Figures| figures.get(Metric::CpuPercent).is_some();
    if seen.iter().skip(1).filter_map(of).all(|figures| is_known(&figures)) {
        let cpu_ns = total(seen, of, Metric::CpuPercent) * 1e7;
        let proc_ns = workers.iter().map(|known| known.proc.cpu_ns).sum::<u64>();
        let ticks = workers.len() as f64 * 2.0 * TICK_NS as f64;
        checks.holds(
            cpu_ns >= proc_ns as f64 && cpu_ns <= proc_ns as f64 + ticks,
            format_args!("CPU time of {name}: {cpu_ns} ns, by /proc {proc_ns}"),
        );
    }
    let limit = (name == LIMITED).then_some(limit_bytes);
    checks.equal(format_args!("limit of {name}"), last.rss_limit_bytes, limit);
    let pids: Vec<u32> = last.processes.iter().map(|process| process.key.tgid).collect();
    let mut wanted: Vec<u32> = workers.iter().map(|known| known.pid).collect();
    wanted.sort_unstable();
    checks.equal(format_args!("processes of {name}"), pids, wanted);
}
