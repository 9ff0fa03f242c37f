//! Names that go.

use std::collections::BTreeMap;
use std::path::PathBuf;

use genome_trace_tests_kernel::{Checks, Context, Suite, sum};

use crate::file_account::FileAccount;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.per_mode("unlinking::one_name_again_and_again", churn);
    suite.per_mode("unlinking::many_names", many_names);
    suite.per_mode("unlinking::inode_numbers_come_again", inode_numbers_come_again);
    suite.per_mode("unlinking::folders_inode_numbers_come_again", folders_come_again);
}

fn churn(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let count = context.setup.scale.churns;
    let tracer = context.tracer().start()?;
    let truth =
        context.workload("churn").path("--dir", folder.path()).option("--count", count).run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let account = FileAccount::new(&trace, &truth);
    let unlinked = sum(account.events("file_unlink"), "unlink_calls");
    account.check_count(&mut checks, "file_unlink", unlinked, count);
    let created = account.events("file_create").count() as u64;
    account.check_count(&mut checks, "file_create", created, count);
    for kind in ["file_create", "file_unlink"] {
        account.check_paths(&mut checks, kind, folder.path());
    }
    trace.check_no_lifecycle_lost(&mut checks);
    checks.verdict()
}

fn many_names(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let count = context.setup.scale.churns;
    let tracer = context.tracer().start()?;
    let truth =
        context.workload("unlink").path("--dir", folder.path()).option("--count", count).run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let account = FileAccount::new(&trace, &truth);
    let unlinked = sum(account.events("file_unlink"), "unlink_calls");
    account.check_count(&mut checks, "file_unlink", unlinked, count);
    account.check_paths(&mut checks, "file_unlink", folder.path());
    checks.verdict()
}

/// ext4 gives the inode number of a deleted file to the next one at once; their
/// writes must not be told as one file's.
fn inode_numbers_come_again(context: &Context) -> anyhow::Result<()> {
    const COUNT: u64 = 200;
    const BYTES: u64 = 3;
    let folder = context.folder()?;
    let tracer = context.tracer().start()?;
    let truth = context
        .workload("churn")
        .path("--dir", folder.path())
        .option("--count", COUNT)
        .option("--bytes", BYTES)
        .flag("--names")
        .run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let account = FileAccount::new(&trace, &truth);
    let mut told: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for event in account.events("file_write") {
        let path = event.payload_text("path").unwrap_or("an unknown path");
        let [calls, bytes] = told.entry(path).or_default();
        *calls += event.payload_number("write_calls").unwrap_or(0);
        *bytes += event.payload_number("written_bytes").unwrap_or(0);
    }
    let paths: Vec<PathBuf> =
        (0..COUNT).map(|index| folder.path().join(format!("churn-{index}"))).collect();
    for path in paths.iter().filter_map(|path| path.to_str()) {
        let what = format!("calls and bytes to {path}");
        checks.equal(what, told.remove(path), Some([1, BYTES]));
    }
    checks.equal("writes to other paths", told, BTreeMap::new());
    for kind in ["file_write", "file_path"] {
        checks.equal(format_args!("lost {kind}"), trace.loss.of(kind), 0);
    }
    checks.verdict()
}

/// So it does with those of folders; what was unlinked in them must not be told
/// as one folder's.
fn folders_come_again(context: &Context) -> anyhow::Result<()> {
    const COUNT: u64 = 200;
    let folder = context.folder()?;
    let tracer = context.tracer().start()?;
    let truth = context
        .workload("churn")
        .path("--dir", folder.path())
        .option("--count", COUNT)
        .flag("--names")
        .flag("--folders")
        .run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let account = FileAccount::new(&trace, &truth);
    let mut told: BTreeMap<&str, u64> = BTreeMap::new();
    for event in account.events("file_unlink") {
        let path = event.payload_text("path").unwrap_or("an unknown path");
        *told.entry(path).or_default() += event.payload_number("unlink_calls").unwrap_or(0);
    }
    let files: Vec<PathBuf> =
        (0..COUNT).map(|index| folder.path().join(format!("churn-{index}/churn"))).collect();
    for path in files.iter().filter_map(|path| path.to_str()) {
        checks.equal(format_args!("unlinks of {path}"), told.remove(path), Some(1));
    }
    checks.equal("unlinks of other paths", told, BTreeMap::new());
    for kind in ["file_unlink", "file_path"] {
        checks.equal(format_args!("lost {kind}"), trace.loss.of(kind), 0);
    }
    checks.verdict()
}
