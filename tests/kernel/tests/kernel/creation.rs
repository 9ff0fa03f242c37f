//! Files that are created as fast as processes can: each is seen or told lost.

use std::collections::BTreeSet;
use std::path::Path;

use genome_trace_tests_kernel::{Checks, Context, Event, Suite, Trace, Truth, Workload};
use rustix::process::Signal;

use crate::file_account::FileAccount;

const BYTES: u64 = 100;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.per_mode("creation::one_process", |context| plain(context, 1));
    suite.per_mode("creation::two_processes", |context| plain(context, 2));
    suite.per_mode("creation::one_process_overflows", |context| overflow(context, 1));
    suite.per_mode("creation::two_processes_overflow", |context| overflow(context, 2));
}

/// The whole machine is watched, with rings as they are.
fn plain(context: &Context, processes: u64) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let tracer = context.tracer().start()?;
    let truth = workload(context, folder.path(), processes).run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    check(&mut checks, &trace, &truth, folder.path())?;
    checks.verdict()
}

/// The ring is far too small, and nobody reads it while the files come: what
/// does not fit must be told to the last one.
fn overflow(context: &Context, processes: u64) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let held = workload(context, folder.path(), processes).hold()?;
    let tracer = context
        .tracer()
        .option("--pid", held.pid())
        .option("--ring-size", context.setup.scale.tiny_ring_bytes)
        .start()?;
    tracer.process().signal(Signal::STOP)?;
    let truth = held.release()?;
    tracer.process().signal(Signal::CONT)?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    check(&mut checks, &trace, &truth, folder.path())?;
    checks.holds(trace.loss.of("file_create") > 0, "no file_create was lost");
    trace.check_losses_agree(&mut checks);
    checks.verdict()
}

pub(crate) fn workload<'a>(context: &'a Context, folder: &Path, processes: u64) -> Workload<'a> {
    context
        .workload("create-files")
        .path("--dir", folder)
        .option("--count", context.setup.scale.files / processes)
        .option("--bytes", BYTES)
        .option("--procs", processes)
        .flag("--keep")
}

/// Each file and each write of the workload is there.
pub(crate) fn check(
    checks: &mut Checks,
    trace: &Trace,
    truth: &Truth,
    folder: &Path,
) -> anyhow::Result<()> {
    let files = truth.number("/files_created")?;
    let account = FileAccount::new(trace, truth);
    let created: Vec<&Event> = account.events("file_create").collect();
    account.check_count(checks, "file_create", created.len() as u64, files);
    account.check_paths(checks, "file_create", folder);
    let paths: BTreeSet<&str> =
        created.iter().filter_map(|event| event.payload_text("path")).collect();
    checks.equal("different paths", paths.len(), created.len());
    account.check_writes(checks, files, BYTES);
    account.check_paths(checks, "file_write", folder);
    trace.check_no_lifecycle_lost(checks);
    Ok(())
}
