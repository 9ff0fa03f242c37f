//! `bench`: builds what is measured and what measures, and runs it here or in
//! virtual machines.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use crate::artifacts;
use crate::cli::{BenchArgs, VmArgs};
use crate::process;
use crate::vm::{self, Contents};
use crate::workspace::Workspace;

/// An emulated processor is some fifty times slower; ratios between modes do
/// not need long runs.
const VM_RUNS: u32 = 3;

/// The subcommand.
pub(crate) fn main(workspace: &Workspace, args: &BenchArgs) -> anyhow::Result<ExitCode> {
    if args.vm { in_machines(workspace, args) } else { here(workspace, args) }
}

fn here(workspace: &Workspace, args: &BenchArgs) -> anyhow::Result<ExitCode> {
    if !process::is_root() {
        bail!("measure a tracer: this is not root; start `cargo xtask bench` as root");
    }
    let tracer = artifacts::genome_trace(workspace).context("build genome-trace")?;
    let workload = artifacts::workload(workspace).context("build the workload program")?;
    let fake_nvml = artifacts::fake_nvml(workspace).context("build the fake NVML")?;
    let bench = artifacts::bench(workspace).context("build the benchmark")?;
    let target = workspace.target();
    let report = args.json.clone().unwrap_or_else(|| target.join("bench.json"));
    // target/ may be anywhere, but it is on the disk that one works on.
    let disk = target.join("bench");
    fs::create_dir_all(&disk).with_context(|| format!("create {}", disk.display()))?;

    let mut command = Command::new(bench);
    command.arg("--tracer").arg(tracer).arg("--workload").arg(workload);
    command.arg("--fake-nvml").arg(fake_nvml).arg("--suites").arg(workspace.suites());
    command.arg("--disk").arg(disk).arg("--json").arg(report).args(words(args));
    let baseline = baseline(workspace, args);
    if baseline.is_file() {
        command.arg("--baseline").arg(baseline);
    }
    let status = command.status().context("start the benchmark")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The committed one, where no other is asked for.
fn baseline(workspace: &Workspace, args: &BenchArgs) -> PathBuf {
    let committed = || workspace.root().join("docs/bench-baseline.json");
    args.baseline.clone().unwrap_or_else(committed)
}

/// No peers there: emulation is no place to compare programs, and they would
/// need half a system around them.
fn in_machines(workspace: &Workspace, args: &BenchArgs) -> anyhow::Result<ExitCode> {
    let mut command = "genome-trace-bench --tracer /bin/genome-trace \
                       --workload /bin/genome-trace-workload --quick --no-peers"
        .to_owned();
    command.push_str(&format!(" --runs {}", args.runs.unwrap_or(VM_RUNS)));
    for name in &args.only {
        command.push_str(&format!(" --only '{}'", name.replace('\'', r"'\''")));
    }
    let contents = Contents {
        programs: vec![
            ("genome-trace", artifacts::genome_trace(workspace)?),
            ("genome-trace-workload", artifacts::workload(workspace)?),
            ("genome-trace-bench", artifacts::bench(workspace)?),
        ],
        command,
    };
    // One machine at a time: two would measure each other.
    let machines = VmArgs { kernels: args.kernels.clone(), jobs: 1, ..VmArgs::default() };
    let reports = vm::run_with(workspace, &machines, &contents)?;
    Ok(vm::tell(&reports))
}

/// What is handed on as it is.
fn words(args: &BenchArgs) -> Vec<String> {
    let mut words = Vec::new();
    if args.quick {
        words.extend(["--quick".to_owned(), "--first-mode".to_owned()]);
    }
    if args.no_peers {
        words.push("--no-peers".to_owned());
    }
    if let Some(runs) = args.runs {
        words.extend(["--runs".to_owned(), runs.to_string()]);
    }
    for name in &args.only {
        words.extend(["--only".to_owned(), name.clone()]);
    }
    words
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::words;
    use crate::cli::{Cli, Command};

    #[test]
    fn options_are_handed_on() {
        let line = "xtask bench --quick --no-peers --runs 2 --only processes --only write-null";
        let Command::Bench(args) = Cli::parse_from(line.split(' ')).command else {
            panic!("another command");
        };
        assert_eq!(
            words(&args).join(" "),
            "--quick --first-mode --no-peers --runs 2 --only processes --only write-null"
        );
    }
}
