//! `--persona`: what others do is dropped where it happens.

use std::collections::BTreeSet;
use std::path::Path;

use genome_trace_tests_kernel::{Checks, Context, Events, Trace, Workload, sum};
use rustix::process::Signal;

use super::bare_program;
use super::{Persona, whose};
use crate::file_account::FileAccount;

const OURS: Persona = Persona { name: "gt-wanted", id: "gen-wanted" };
const THEIRS: Persona = Persona { name: "gt-unwanted", id: "gen-unwanted" };
const FEW: u64 = 20;
const BYTES: u64 = 100;
const TREE: usize = 1 + 3 + 9;

/// The ring is far too small for what others do while nobody reads it. They
/// were there before the tracer, so it has judged them: not one record of
/// theirs is made.
pub(super) fn in_the_kernel(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let files = Files { context, folder: folder.path() };
    let many = context.setup.scale.files / 2;
    let ours = OURS.claimed_by(files.create("ours", FEW)).hold()?;
    let theirs = THEIRS.claimed_by(files.create("theirs", many)).hold()?;
    let nobodys = files.create("nobodys", many).hold()?;
    let tracer = context
        .tracer()
        .option("--persona", OURS.name)
        .option("--ring-size", context.setup.scale.tiny_ring_bytes)
        .start()?;
    tracer.process().signal(Signal::STOP)?;
    let mut by_others = 0;
    for others in [theirs, nobodys] {
        by_others += others.release()?.number("/files_created")?;
    }
    let created = ours.release()?;
    tracer.process().signal(Signal::CONT)?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let mut pids: BTreeSet<u64> = created.workers().into_iter().collect();
    pids.insert(created.pid()?);
    check_ours_alone(&mut checks, &trace.events, &pids);
    // Strangers who exec while the tracer sleeps are let through until it has
    // judged them. What the two did is far more than those can do.
    let (lost, done) = (trace.loss.of("file_create"), created.number("/files_created")?);
    checks.holds(
        lost * 10 < by_others,
        format_args!("{lost} records lost, of {by_others} by others and {done} by ours"),
    );
    let account = FileAccount::new(&trace, &created);
    let seen = account.events("file_create").count() as u64;
    checks.holds(
        seen <= done && seen + lost + trace.loss.of("skipped") >= done,
        format_args!("file_create: {seen} seen, {lost} lost, {done} done"),
    );
    account.check_writes(&mut checks, created.number("/write_calls")?, BYTES);
    checks.verdict()
}

/// All that the persona does is counted, and nothing that others do meanwhile.
pub(super) fn counts_exactly(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let files = Files { context, folder: folder.path() };
    let before = OURS.claimed_by(files.create("before", FEW)).hold()?;
    let tracer = context.tracer().option("--persona", OURS.name).start()?;
    let created = [
        before.release()?,
        OURS.claimed_by(files.create("after", FEW)).run()?,
        OURS.claimed_by(files.create("again", FEW)).run()?,
    ];
    THEIRS.claimed_by(files.create("theirs", FEW)).run()?;
    files.create("nobodys", FEW).run()?;
    THEIRS.claimed_by(files.tree("their-tree")).run()?;
    let tree = OURS.claimed_by(files.tree("tree")).run()?;
    let bare = bare_program::new(folder.path())?;
    let bare_pid = match &bare {
        Some(bare) => Some(OURS.claimed_by_program(context.program(&bare.program)).succeed()?),
        None => None,
    };
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let mut pids: BTreeSet<u64> = tree.numbers("/pids").into_iter().collect();
    pids.insert(tree.pid()?);
    pids.extend(bare_pid);
    for created in &created {
        pids.extend(created.workers());
        pids.insert(created.pid()?);
        let account = FileAccount::new(&trace, created);
        let seen = account.events("file_create").count() as u64;
        account.check_count(&mut checks, "file_create", seen, created.number("/files_created")?);
        account.check_writes(&mut checks, created.number("/write_calls")?, BYTES);
        account.check_paths(&mut checks, "file_create", Path::new(created.text("/dir")?));
    }
    check_ours_alone(&mut checks, &trace.events, &pids);
    check_tree(&mut checks, &trace.events, &tree.numbers("/pids"));
    if let (Some(bare), Some(pid)) = (bare, bare_pid) {
        check_bare(&mut checks, &trace, &bare, pid);
    }
    for kind in ["file_create", "file_write", "file_unlink"] {
        checks.equal(format_args!("lost {kind}"), trace.loss.of(kind), 0);
    }
    trace.check_no_lifecycle_lost(&mut checks);
    checks.verdict()
}

/// Work on files, each below one folder.
struct Files<'a> {
    context: &'a Context,
    folder: &'a Path,
}

impl<'a> Files<'a> {
    fn create(&self, name: &str, count: u64) -> Workload<'a> {
        self.context
            .workload("create-files")
            .path("--dir", &self.folder.join(name))
            .option("--count", count)
            .option("--bytes", BYTES)
            .option("--procs", 2)
            .flag("--keep")
    }

    fn tree(&self, name: &str) -> Workload<'a> {
        self.context
            .workload("tree")
            .option("--depth", 2)
            .option("--width", 3)
            .path("--dir", &self.folder.join(name))
    }
}

fn check_ours_alone(checks: &mut Checks, events: &Events, pids: &BTreeSet<u64>) {
    for event in events.of_processes() {
        checks.holds(
            whose(event) == OURS.whose() && event.tgid().is_some_and(|tgid| pids.contains(&tgid)),
            format_args!("another's event: {}", event.json()),
        );
    }
}

fn check_tree(checks: &mut Checks, events: &Events, pids: &[u64]) {
    checks.equal("processes of the tree", pids.len(), TREE);
    for pid in pids {
        for kind in ["fork", "file_create", "exit"] {
            let count = events.of(kind, *pid).count();
            checks.equal(format_args!("{kind} events of {pid} in the tree"), count, 1);
        }
    }
}

/// What a program does at once is counted like everything that follows.
fn check_bare(checks: &mut Checks, trace: &Trace, bare: &bare_program::BareProgram, pid: u64) {
    let path = bare.file.to_string_lossy();
    let created: Vec<_> =
        trace.events.of("file_create", pid).map(|event| event.payload_text("path")).collect();
    let (calls, bytes) = (
        sum(trace.events.of("file_write", pid), "write_calls"),
        sum(trace.events.of("file_write", pid), "written_bytes"),
    );
    if trace.loss.of("skipped") > 0 {
        // What was skipped may have been of this program.
        checks.holds(created.len() <= 1 && calls <= bare_program::WRITES, "more than was done");
        return;
    }
    checks.equal("creations of the bare program", created, vec![Some(path.as_ref())]);
    checks.equal("write calls of the bare program", calls, bare_program::WRITES);
    checks.equal(
        "bytes of the bare program",
        bytes,
        bare_program::WRITES * bare_program::BYTES_OF_A_WRITE,
    );
}
