//! A second opinion on CPU time: /proc, read again and again while looks are
//! taken, so that each look can be held against what /proc said just then.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use genome_trace::kernel::clock;
use genome_trace::model::{Metric, Usage};
use genome_trace_tests_kernel::{Checks, TICK_NS, cpu_ns};

use super::figures::{figures_of_process, total};

/// /proc tells nobody that something has changed.
const READ_AGAIN: Duration = Duration::from_millis(10);

/// CPU time of a worker by /proc, read between two moments.
pub(super) struct Reading {
    from_ns: i64,
    until_ns: i64,
    cpu_ns: u64,
    /// For how long the recorder's thread has run, or waited for a processor.
    recorder_ns: Option<u64>,
}

/// Reads until it is over.
pub(super) fn read_until(
    is_over: &AtomicBool,
    worker: u32,
    recorder: u32,
) -> anyhow::Result<Vec<Reading>> {
    let mut readings = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let from_ns = clock::now().unix_ns;
        let (cpu_ns, recorder_ns) = (cpu_ns(worker)?, wants_to_run_ns(recorder));
        readings.push(Reading { from_ns, until_ns: clock::now().unix_ns, cpu_ns, recorder_ns });
        thread::sleep(READ_AGAIN);
    }
    readings.first().context("nothing was read")?;
    Ok(readings)
}

/// From /proc/PID/schedstat: time on a processor, and waiting for one.
fn wants_to_run_ns(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let mut times = text.split(' ').map_while(|word| word.parse::<u64>().ok());
    Some(times.next()? + times.next()?)
}

/// What each look says makes up, from the first look to it, what /proc said at
/// its time.
///
/// The recorder reads the figures of all processes and then the clock, and does
/// not sleep between them. So what a look has of a process is from no later than
/// its own time, and from no earlier than that less the time that the recorder
/// has run, or waited to, since the look before.
pub(super) fn check(checks: &mut Checks, readings: &[Reading], seen: &[Usage], worker: u32) {
    let of = |usage: &Usage| figures_of_process(usage, worker);
    let mut held = 0;
    for (index, look) in seen.iter().enumerate() {
        let is_known = of(look).is_some_and(|it| it.get(Metric::CpuPercent).is_some());
        let (true, Some(interval_ns)) = (is_known, look.interval_ns) else { continue };
        let interval_ns = i64::try_from(interval_ns).unwrap_or(i64::MAX);
        let until = look.wall_time.unix_ns;
        let last_before = |at: i64| readings.iter().rev().find(|it| it.until_ns <= at);
        let first_after = |at: i64| readings.iter().find(|it| it.from_ns >= at);
        let Some(after) = first_after(until) else { continue };
        let recorder_ns = |it: &Reading| it.recorder_ns;
        let took_ns = last_before(until - interval_ns)
            .and_then(recorder_ns)
            .zip(after.recorder_ns)
            .and_then(|(then, now)| i64::try_from(now - then).ok())
            .map_or(interval_ns, |ns| ns.min(interval_ns));
        let Some(before) = last_before(until - took_ns) else { continue };
        let told_ns = total(seen.get(..=index).unwrap_or_default(), of, Metric::CpuPercent) * 1e7;
        // What was used until the look that first saw it may be unknown; the
        // user's and the system's part are cut to a tick each.
        let at_least = before.cpu_ns as f64 - TICK_NS as f64;
        let at_most = after.cpu_ns as f64 + 2.0 * TICK_NS as f64;
        checks.holds(
            told_ns >= at_least && told_ns <= at_most,
            format_args!(
                "CPU time up to look {index}: {told_ns} ns is not from {at_least} to {at_most}"
            ),
        );
        held += 1;
    }
    // It works for at least two of them, and rests at the last.
    checks.holds(held >= 3, format_args!("only {held} looks could be held against /proc"));
}
