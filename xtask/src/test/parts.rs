//! The parts of `test`. None ends the others: what goes wrong is told.

use std::fs;
use std::process::Command;

use anyhow::Context as _;

use super::summary::Part;
use crate::artifacts::{self, cargo};
use crate::cli::{Series, VmArgs};
use crate::libtest::{Counts, Failures};
use crate::process::{self, Stream};
use crate::vm;
use crate::workspace::Workspace;

/// The kernel that all is tried on. What depends on no kernel is tried on this
/// one and natively; on the others it would come to the same, only slowly.
const ALL_ON: Series = Series::V6_12;

/// Unit tests, and the binary from outside.
pub(crate) fn workspace(workspace: &Workspace) -> Part {
    let name = "workspace";
    // The tests start programs and libraries of other crates than their own.
    if let Err(error) = process::run(cargo(workspace).args(["build", "--workspace"])) {
        return failed(name, &error);
    }
    if process::find("cargo-nextest").is_some() {
        let mut command = cargo(workspace);
        command.args(["nextest", "run", "--workspace", "--no-fail-fast", "--color=never"]);
        counted(name, &mut command, Stream::Stderr, Counts::parse_nextest)
    } else {
        let mut command = cargo(workspace);
        command.args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]);
        counted(name, &mut command, Stream::Stdout, Counts::parse)
    }
}

/// The examples in the documentation.
pub(crate) fn documentation(workspace: &Workspace) -> Part {
    let mut command = cargo(workspace);
    command.args(["test", "--workspace", "--no-fail-fast", "--doc"]);
    counted("documentation", &mut command, Stream::Stdout, Counts::parse)
}

/// Real events of the kernel that we run on.
pub(crate) fn this_kernel(workspace: &Workspace, quick: bool) -> Part {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let name = &format!("this kernel ({})", release.trim());
    if !process::is_root() {
        return Part::skipped(name, "not root; start `cargo xtask test` as root for it");
    }
    match kernel_tests(workspace) {
        Ok(mut command) => {
            command.env("GENOME_TRACE_TEST_SCALE", if quick { "small" } else { "full" });
            counted(name, &mut command, Stream::Stdout, Counts::parse)
        }
        Err(error) => failed(name, &error),
    }
}

fn kernel_tests(workspace: &Workspace) -> anyhow::Result<Command> {
    let genome_trace = artifacts::genome_trace(workspace).context("build genome-trace")?;
    let workload = artifacts::workload(workspace).context("build the workload program")?;
    let fake_nvml = artifacts::fake_nvml(workspace).context("build the fake NVML")?;
    let tests = artifacts::kernel_tests(workspace).context("build the kernel tests")?;
    let mut command = Command::new(tests);
    command
        .arg("--test-threads=1")
        .env("GENOME_TRACE_BIN", genome_trace)
        .env("GENOME_TRACE_WORKLOAD", workload)
        .env("GENOME_TRACE_FAKE_NVML", fake_nvml)
        .current_dir(workspace.root());
    Ok(command)
}

/// Real events of stock kernels in virtual machines.
pub(crate) fn other_kernels(workspace: &Workspace, quick: bool) -> Vec<Part> {
    let args = VmArgs {
        // The longest first, so that the machines come to an end together.
        kernels: if quick {
            vec![ALL_ON]
        } else {
            vec![ALL_ON, Series::Newest, Series::V6_1, Series::V5_10]
        },
        all_on: Some(ALL_ON),
        ..VmArgs::default()
    };
    match vm::run(workspace, &args) {
        Ok(reports) => reports
            .into_iter()
            .map(|report| {
                if let Some(failure) = &report.failure {
                    eprintln!("xtask: kernel {}: FAILED: {failure}", report.series);
                }
                let name = format!("kernel {}", report.series);
                Part::ran(&name, report.counts, report.failure)
            })
            .collect(),
        Err(error) => vec![failed("other kernels", &error)],
    }
}

fn counted(
    name: &str,
    command: &mut Command,
    stream: Stream,
    parse: fn(&str) -> Option<Counts>,
) -> Part {
    eprintln!("xtask: test {name}");
    let mut counts = None;
    let mut failures = Failures::default();
    let ended = process::run_watched(command, stream, |line| {
        if let Some(more) = parse(line) {
            counts = Some(counts.unwrap_or_default() + more);
        }
        failures.line(line);
    });
    if let Err(error) = &ended {
        eprintln!("xtask: {error:#}");
    }
    Part::ran(name, counts, ended.err().map(|error| format!("{error:#}{failures}")))
}

fn failed(name: &str, error: &anyhow::Error) -> Part {
    eprintln!("xtask: test {name}: {error:#}");
    Part::ran(name, None, Some(format!("{error:#}")))
}
