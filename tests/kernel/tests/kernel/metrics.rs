//! What a recorder serves for Prometheus is what happened, and what promtool
//! accepts.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use anyhow::ensure;
use genome_trace_tests_kernel::{Checks, Context, Recorder, Suite, free_address, get, promtool};

pub(crate) fn add_to(suite: &mut Suite) {
    suite.of_userspace("metrics::a_crash_is_counted_and_promtool_finds_nothing", crash);
}

/// The metrics are published once a second; nothing tells when.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// A name with all that a label's value has to escape.
const PERSONA: &str = "Metrics\"\\Worker";

fn crash(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let address = free_address()?;
    let launch = context.recorder(folder.path()).option("--listen", address);
    let recorder = Recorder(launch.start_into(Stdio::null())?);
    let worker = context.program("sh").env("GENOME_PERSONA", PERSONA);
    let ended = worker.args(["-c", "exit 3"]).run()?;
    ensure!(ended.status.code() == Some(3), "the worker ended with {}", ended.status);

    let line = "genome_crash_count_total{genome=\"\",persona=\"Metrics\\\"\\\\Worker\",\
                kind=\"error_exit\"} ";
    let text = loop {
        let text = get(address, "/metrics", &context.deadline)?;
        // A persona that is there has a line from the first look on: with 0.
        if sum(&text, line) > 0 {
            break text;
        }
        context.deadline.remaining("the crash among the metrics")?;
        thread::sleep(LOOK_AGAIN);
    };
    let recorded = recorder.stop(folder.path())?;

    let mut checks = Checks::new();
    checks.equal("crashes of the worker", sum(&text, line), 1);
    let exits = sum(&text, "genome_events_total{kind=\"exit\"} ");
    checks.holds(exits > 0, format_args!("{exits} exits are counted"));
    let counted = sum(&text, "genome_events_total{");
    checks.holds(
        counted <= recorded.trace.loss.events,
        format_args!("{counted} events counted, {} in all", recorded.trace.loss.events),
    );
    checks.holds(
        sum(&text, "genome_lost_events_total{") <= recorded.trace.loss.lost,
        format_args!("more losses than {} in all", recorded.trace.loss.lost),
    );
    promtool(&mut checks, &["metrics"], &text)?;
    checks.verdict()
}

/// Of the samples that begin so.
fn sum(text: &str, beginning: &str) -> u64 {
    let lines = text.lines().filter(|line| line.starts_with(beginning));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}
