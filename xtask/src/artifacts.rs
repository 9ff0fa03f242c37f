//! Builds the programs that the kernel tests need, and says where they are.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::bail;

use crate::cargo_messages::{self, FORMAT};
use crate::process;
use crate::workspace::Workspace;

/// The cargo that started us, on the clone's workspace.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace.root());
    command
}

/// `genome-trace` as it is shipped.
pub(crate) fn genome_trace(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    build(workspace, &["build", "--release", "--package", "genome-trace", "--bin", "genome-trace"])
}

/// The program that misbehaves on purpose.
pub(crate) fn workload(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    build(
        workspace,
        &[
            "build",
            "--release",
            "--package",
            "genome-trace-workloads",
            "--bin",
            "genome-trace-workload",
        ],
    )
}

/// The test binary of tests/kernel.
pub(crate) fn kernel_tests(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    build(
        workspace,
        &["test", "--no-run", "--package", "genome-trace-tests-kernel", "--test", "kernel"],
    )
}

fn build(workspace: &Workspace, args: &[&str]) -> anyhow::Result<PathBuf> {
    let messages = process::stdout_with_talk(cargo(workspace).args(args).arg(FORMAT))?;
    // Binaries that a test is built with come first.
    match cargo_messages::executables(&messages).pop() {
        Some(executable) => Ok(executable),
        None => bail!("build: `cargo {}` left no executable", args.join(" ")),
    }
}
