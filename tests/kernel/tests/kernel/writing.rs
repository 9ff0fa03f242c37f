//! Writes by every call that the kernel has: counted to the last one, or said
//! not to be.

use anyhow::Context as _;
use genome_trace_tests_kernel::{Checks, Context, Event, Suite, Trace, Truth, Unsupported, sum};

use crate::file_account::FileAccount;

const CALLS: [&str; 8] =
    ["write", "pwrite", "writev", "pwritev2", "sendfile", "splice", "copy_file_range", "io_uring"];
const BYTES: u64 = 10;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.per_mode("writing::storm_of_single_bytes", storm);
    suite.per_mode("writing::every_call", every_call);
    suite.per_mode("writing::file_without_a_folder", memfd);
}

fn storm(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let count = context.setup.scale.writes;
    let tracer = context.tracer().start()?;
    let truth = context
        .workload("write-storm")
        .path("--path", &folder.path().join("storm"))
        .option("--count", count)
        .option("--bytes", 1)
        .run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let account = FileAccount::new(&trace, &truth);
    account.check_writes(&mut checks, count, 1);
    account.check_paths(&mut checks, "file_write", folder.path());
    checks.equal("lost file_write", trace.loss.of("file_write"), 0);
    trace.check_no_lifecycle_lost(&mut checks);
    checks.verdict()
}

fn every_call(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let mode = context.mode.context("this trial is made in a mode")?;
    let doctor = context.setup.doctor()?;
    let count = context.setup.scale.calls;
    let tracer = context.tracer().start()?;
    let mut told = Vec::new();
    for call in CALLS {
        let workload = context
            .workload("write-storm")
            .path("--path", &folder.path().join(call))
            .option("--call", call)
            .option("--count", count)
            .option("--bytes", BYTES);
        match workload.run() {
            Ok(truth) => told.push((call, truth)),
            Err(error) if error.is::<Unsupported>() => {
                eprintln!("{mode}: {call} is not tried: {error:#}");
            }
            Err(error) => return Err(error),
        }
    }
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    for (call, truth) in &told {
        let wanted = match doctor.uncounted(call, mode) {
            None => count,
            Some(reason) => {
                eprintln!("{mode}: {call} is not counted: {reason}");
                0
            }
        };
        let calls = counted(&trace, truth, "write_calls")?;
        checks.equal(format_args!("{call}: write calls"), calls, wanted);
        let bytes = counted(&trace, truth, "written_bytes")?;
        checks.equal(format_args!("{call}: bytes"), bytes, wanted * BYTES);
    }
    checks.verdict()
}

/// What was written to the workload's file by whomever: some kernels let a
/// thread of their own write for the process that asked.
fn counted(trace: &Trace, truth: &Truth, field: &str) -> anyhow::Result<u64> {
    let (path, workers) = (truth.text("/path")?, truth.workers());
    let concerns = |event: &&Event| match event.payload_text("path") {
        Some(written) => written == path,
        None => event.tgid().is_some_and(|tgid| workers.contains(&tgid)),
    };
    Ok(sum(trace.events.kind("file_write").filter(concerns), field))
}

fn memfd(context: &Context) -> anyhow::Result<()> {
    const BYTES: u64 = 5;
    let tracer = context.tracer().start()?;
    let truth =
        context.workload("memfd").option("--name", "gt-memfd").option("--bytes", BYTES).run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let account = FileAccount::new(&trace, &truth);
    let told: Vec<_> = account
        .events("file_write")
        .map(|event| {
            let number = |field| event.payload_number(field);
            (event.payload_text("path"), number("write_calls"), number("written_bytes"))
        })
        .collect();
    checks.equal("writes", told, [(Some("/memfd:gt-memfd"), Some(1), Some(BYTES))]);
    checks.verdict()
}
