//! How the tracer ends: with 0, and quietly, whoever ends it.

use genome_trace_tests_kernel::{Checks, Context, LossLine, Suite};
use rustix::process::Signal;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("stopping::ctrl_c", |context| by_signal(context, Signal::INT));
    suite.of_userspace("stopping::sigterm", |context| by_signal(context, Signal::TERM));
    suite.of_userspace("stopping::closed_pipe", closed_pipe);
}

/// What happened before the signal is told, and the loss line is the last.
fn by_signal(context: &Context, signal: Signal) -> anyhow::Result<()> {
    let tracer = context.tracer().start()?;
    let truth = context.workload("spawn-storm").option("--count", 20).run()?;
    let trace = tracer.end_by(signal)?;

    let mut checks = Checks::new();
    let launcher = truth.pid()?;
    checks.equal("exits of the workload", trace.events.of("exit", launcher).count(), 1);
    checks.holds(trace.loss.events > 0, "the loss line counts no event");
    checks.verdict()
}

fn closed_pipe(context: &Context) -> anyhow::Result<()> {
    let tracer = context.tracer().start()?;
    let storm = || context.workload("spawn-storm").option("--count", 200).run();
    storm()?;
    let tracer = tracer.read_then_close(10)?;
    storm()?;
    let (status, said) = tracer.wait()?;

    let mut checks = Checks::new();
    checks.holds(status.success(), format_args!("it ended with {status}"));
    for line in said {
        checks.holds(LossLine::parse(&line).is_some(), format_args!("it is not quiet: {line}"));
    }
    checks.verdict()
}
