//! Builds the programs that the tests and the benchmark need, and says where they are.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::bail;

use crate::cargo_messages::{self, FORMAT};
use crate::process;
use crate::workspace::Workspace;

/// The cargo that started us, on the clone's workspace.
///
/// What it told us of our own package is no business of what is built: build
/// scripts look at it (ring's does), and would run again, with all that depends
/// on them, whenever a build by hand and one of ours take turns.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let of_ours = name.as_encoded_bytes();
        if of_ours.starts_with(b"CARGO_PKG_") || of_ours.starts_with(b"CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command.current_dir(workspace.root());
    command
}

/// `genome-trace` as it is shipped.
pub(crate) fn genome_trace(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    build(workspace, &["build", "--release", "--package", "genome-trace", "--bin", "genome-trace"])
}

/// The program that misbehaves on purpose. The kernel follows its stack by
/// frame pointers, which a profile cannot ask for.
pub(crate) fn workload(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let package = ["--package", "genome-trace-workloads", "--bin", "genome-trace-workload"];
    let args = [&["rustc", "--profile=workload"], package.as_slice()].concat();
    build_with(workspace, &args, &["--", "-C", "force-frame-pointers=yes"])
}

/// The NVML that does what a script says.
pub(crate) fn fake_nvml(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let args = ["build", "--release", "--package", "genome-trace-fake-nvml", "--lib"];
    let messages = process::stdout_with_talk(cargo(workspace).args(args).arg(FORMAT))?;
    match cargo_messages::shared_libraries(&messages).pop() {
        Some(library) => Ok(library),
        None => bail!("build: `cargo {}` left no shared library", args.join(" ")),
    }
}

/// The benchmark.
pub(crate) fn bench(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    build(
        workspace,
        &["build", "--release", "--package", "genome-trace-bench", "--bin", "genome-trace-bench"],
    )
}

/// The check of a real GPU.
pub(crate) fn gpu_check(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    build(
        workspace,
        &[
            "build",
            "--release",
            "--package",
            "genome-trace-gpu-check",
            "--bin",
            "genome-trace-gpu-check",
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
    build_with(workspace, args, &[])
}

fn build_with(workspace: &Workspace, args: &[&str], rest: &[&str]) -> anyhow::Result<PathBuf> {
    let messages = process::stdout_with_talk(cargo(workspace).args(args).arg(FORMAT).args(rest))?;
    // Binaries that a test is built with come first.
    match cargo_messages::executables(&messages).pop() {
        Some(executable) => Ok(executable),
        None => bail!("build: `cargo {}` left no executable", args.join(" ")),
    }
}
