//! A long run: the tracer's memory stays flat and nothing of a life is lost.

use std::time::Duration;

use genome_trace_tests_kernel::{Checks, Context, Suite, Unsupported};

const SAMPLE_EVERY: Duration = Duration::from_millis(500);
const GROWTH_ALLOWED_BYTES: u64 = 2 << 20;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("soak::memory_stays_flat", memory_stays_flat);
}

fn memory_stays_flat(context: &Context) -> anyhow::Result<()> {
    if !context.setup.scale.soak {
        return Err(Unsupported("the long run is made at full scale only".into()).into());
    }
    let tracer = context.tracer().start()?;
    let workload =
        context.workload("mixed").option("--seconds", context.setup.soak.as_secs()).start_free()?;
    let mut samples = Vec::new();
    let truth = workload.finish_or_else(SAMPLE_EVERY, || {
        samples.push(tracer.process().rss_bytes()?);
        Ok(())
    })?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let (first, second) = samples.split_at(samples.len() / 2);
    let (first, second) = (first.iter().max(), second.iter().max());
    checks.holds(
        first.zip(second).is_some_and(|(first, second)| *second <= first + GROWTH_ALLOWED_BYTES),
        format_args!("resident memory grew from {first:?} in the first half to {second:?} bytes"),
    );
    trace.check_no_lifecycle_lost(&mut checks);
    let launcher = Some(truth.pid()?);
    for (kind, field) in [("fork", "/forks"), ("exec", "/execs"), ("exit", "/exits")] {
        let events = trace.events.kind(kind);
        let children = events.filter(|event| event.number("ppid") == launcher);
        checks.equal(kind, children.count() as u64, truth.number(field)?);
    }
    checks.verdict()
}
