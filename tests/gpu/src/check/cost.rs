//! CPU time of the tracer with and without looks at the GPU. It is told, not
//! judged.

use std::thread;
use std::time::Duration;

use genome_trace_tests_kernel::Context;

use crate::compare::MIB;
use crate::cpu;
use crate::ground::Ground;
use crate::report::Findings;

const LENGTH: Duration = Duration::from_secs(10);

pub(super) fn check(ground: &Ground, findings: &mut Findings) -> anyhow::Result<()> {
    let context = ground.context();
    let worker = ground.worker(&context, "Idle", 256 * MIB)?;
    for interval in ["off", "1s"] {
        let milliseconds = spent(&context, interval)?;
        findings.beside(
            format!("CPU in {} s, --gpu-interval={interval}", LENGTH.as_secs()),
            Some("ms"),
            milliseconds,
            "not compared",
        );
    }
    worker.end()?;
    findings.note("from /proc/PID/stat, which counts in ticks of 10 ms on most machines");
    Ok(())
}

fn spent(context: &Context, interval: &str) -> anyhow::Result<u64> {
    let tracer = context.tracer().option("--gpu-interval", interval).start()?;
    if interval != "off" {
        // The start costs once, and is not of the ten seconds.
        tracer.process().await_words(&["VRAM of "])?;
    }
    let pid = tracer.process().pid();
    let before = cpu::time(pid)?;
    // What is measured is what it does in this time.
    thread::sleep(LENGTH);
    let spent = cpu::time(pid)?.saturating_sub(before);
    tracer.stop()?;
    Ok(u64::try_from(spent.as_millis()).unwrap_or(u64::MAX))
}
