//! An exit event against what wait4(2) told the parent.

use genome_trace_tests_kernel::{Checks, Event, Trace, Truth};

/// What the accounts of one CPU time by two clocks may differ by.
const CPU_SLACK_NS: u64 = 50_000_000;
/// The longest that a thread runs between two settlements: two ticks of 10 ms.
const TICK_NS: u64 = 20_000_000;
const RUNTIME_SLACK_NS: u64 = 10_000_000;

/// The process ended once, as its parent saw; gives the event. `wait` is the
/// JSON pointer to the parent's account.
pub(crate) fn check_exit<'a>(
    checks: &mut Checks,
    trace: &'a Trace,
    truth: &Truth,
    victim: u64,
    wait: &str,
) -> Option<&'a Event> {
    let exits: Vec<&Event> = trace.events.of("exit", victim).collect();
    checks.equal(format_args!("exit events of {victim}"), exits.len(), 1);
    let event = exits.first().copied()?;
    let code = truth.maybe_number(&format!("{wait}/code"));
    let signal = truth.maybe_number(&format!("{wait}/signal"));
    checks.equal("exit code", event.payload_number("code"), code);
    checks.equal("signal", event.payload_text("signal"), signal.map(signal_name));
    let core_dumped = event.payload("core_dumped").and_then(|flag| flag.as_bool());
    let dumped = truth.flag(&format!("{wait}/core_dumped"));
    if signal.is_some() {
        checks.equal("core dumped", core_dumped, Some(dumped));
    } else {
        checks.holds(core_dumped != Some(true), "an exit by code dumped a core");
    }
    check_usage(checks, event, truth, wait);
    Some(event)
}

fn check_usage(checks: &mut Checks, event: &Event, truth: &Truth, wait: &str) {
    let told = |field: &str| truth.maybe_number(&format!("{wait}/{field}"));
    checks.equal(
        "peak RSS against ru_maxrss",
        event.payload_number("peak_rss_bytes"),
        told("max_rss_bytes"),
    );
    let (runtime, elapsed) = (event.payload_number("runtime_ns"), told("elapsed_ns"));
    checks.holds(
        runtime
            .zip(elapsed)
            .is_some_and(|(runtime, elapsed)| runtime > 0 && runtime <= elapsed + RUNTIME_SLACK_NS),
        format_args!("runtime {runtime:?} ns, the parent waited {elapsed:?} ns"),
    );
    // The scheduler settles a running thread's account at ticks and switches;
    // a process that ended before the first has none yet, which is unknown.
    let (cpu, usage) = (event.payload_number("cpu_ns"), told("cpu_ns"));
    let right = match (cpu, usage) {
        (Some(cpu), Some(usage)) => cpu > 0 && cpu.abs_diff(usage) <= CPU_SLACK_NS + usage / 5,
        (None, Some(usage)) => usage <= TICK_NS,
        _ => false,
    };
    checks.holds(right, format_args!("CPU time {cpu:?} ns, rusage has {usage:?} ns"));
}

/// The name of a signal that a workload ends by.
fn signal_name(number: u64) -> &'static str {
    match number {
        6 => "SIGABRT",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        _ => "a signal that this test does not know",
    }
}
