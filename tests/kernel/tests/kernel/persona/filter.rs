//! `--persona`: what others do is dropped where it happens.

use std::collections::BTreeSet;

use genome_trace_tests_kernel::{Checks, Context, Events, Trace, sum};
use rustix::process::Signal;

use super::bare_program;
use super::{Persona, whose};
use crate::file_account::FileAccount;

const OURS: Persona = Persona { name: "gt-wanted", id: "gen-wanted" };
const THEIRS: Persona = Persona { name: "gt-unwanted", id: "gen-unwanted" };
const FEW: u64 = 20;
const BYTES: u64 = 100;
const TREE: usize = 1 + 3 + 9;

/// The ring is far too small for what others do while nobody reads it: not a
/// record may be lost, so theirs were never made.
pub(super) fn in_the_kernel(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let create = |dir: &str, count: u64| {
        context
            .workload("create-files")
            .path("--dir", &folder.path().join(dir))
            .option("--count", count)
            .option("--bytes", BYTES)
            .option("--procs", 2)
            .flag("--keep")
    };
    let many = context.setup.scale.files / 2;
    let ours = OURS.claimed_by(create("ours", FEW)).hold()?;
    let theirs = THEIRS.claimed_by(create("theirs", many)).hold()?;
    let nobodys = create("nobodys", many).hold()?;
    let tracer = context
        .tracer()
        .option("--persona", OURS.name)
        .option("--ring-size", context.setup.scale.tiny_ring_bytes)
        .start()?;
    tracer.process().signal(Signal::STOP)?;
    theirs.release()?;
    nobodys.release()?;
    let created = ours.release()?;
    tracer.process().signal(Signal::CONT)?;

    let tree = context
        .workload("tree")
        .option("--depth", 2)
        .option("--width", 3)
        .path("--dir", &folder.path().join("tree"));
    let tree = OURS.claimed_by(tree).run()?;
    let other_tree = context.workload("tree").option("--depth", 2).option("--width", 3);
    THEIRS.claimed_by(other_tree.path("--dir", &folder.path().join("other"))).run()?;
    let bare = bare_program::new(folder.path())?;
    let bare_pid = match &bare {
        Some(bare) => Some(OURS.claimed_by_program(context.program(&bare.program)).succeed()?),
        None => None,
    };
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let mut pids: BTreeSet<u64> = created.workers().into_iter().collect();
    pids.extend(tree.numbers("/pids"));
    pids.extend([created.pid()?, tree.pid()?]);
    pids.extend(bare_pid);
    for event in trace.events.of_processes() {
        checks.holds(
            whose(event) == OURS.whose() && event.tgid().is_some_and(|tgid| pids.contains(&tgid)),
            format_args!("another's event: {}", event.json()),
        );
    }
    let account = FileAccount::new(&trace, &created);
    let files = account.events("file_create").count() as u64;
    account.check_count(&mut checks, "file_create", files, 2 * FEW);
    account.check_writes(&mut checks, 2 * FEW, BYTES);
    account.check_paths(&mut checks, "file_create", &folder.path().join("ours"));
    check_tree(&mut checks, &trace.events, &tree.numbers("/pids"));
    for kind in ["file_create", "file_write", "file_unlink"] {
        checks.equal(format_args!("lost {kind}"), trace.loss.of(kind), 0);
    }
    if let (Some(bare), Some(pid)) = (bare, bare_pid) {
        check_bare(&mut checks, &trace, &bare, pid);
    }
    trace.check_no_lifecycle_lost(&mut checks);
    checks.verdict()
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
