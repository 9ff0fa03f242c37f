//! `vm`: the kernel tests, the benchmark, or one command, on stock Debian kernels in virtual
//! machines that need neither KVM nor root.

mod apt;
mod apt_sources;
mod console;
mod cpio;
mod deb_version;
mod initramfs;
mod kernels;
mod qemu;

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::artifacts;
use crate::cli::{Series, VmArgs};
use crate::libtest::Counts;
use crate::process;
use crate::workspace::Workspace;
pub(crate) use initramfs::Contents;
use kernels::Kernel;

/// How the tests, or the command, ended on one kernel.
pub(crate) struct Report {
    /// The kernel.
    pub(crate) series: Series,
    /// What the test binary counted, where it came to that.
    pub(crate) counts: Option<Counts>,
    /// Why this kernel counts as failed.
    pub(crate) failure: Option<String>,
}

/// The subcommand.
pub(crate) fn main(workspace: &Workspace, args: &VmArgs) -> anyhow::Result<ExitCode> {
    run(workspace, args).map(|reports| tell(&reports))
}

/// Says how each kernel did.
pub(crate) fn tell(reports: &[Report]) -> ExitCode {
    for report in reports {
        match (&report.failure, &report.counts) {
            (Some(failure), _) => eprintln!("xtask: kernel {}: FAILED: {failure}", report.series),
            (None, Some(counts)) => eprintln!("xtask: kernel {}: ok: {counts}", report.series),
            (None, None) => eprintln!("xtask: kernel {}: ok", report.series),
        }
    }
    let failed = reports.iter().any(|report| report.failure.is_some());
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Boots each kernel once; one report for each, in the order asked for.
pub(crate) fn run(workspace: &Workspace, args: &VmArgs) -> anyhow::Result<Vec<Report>> {
    run_with(workspace, args, &contents(workspace, args)?)
}

/// The same with programs and a command of the caller's choice.
pub(crate) fn run_with(
    workspace: &Workspace,
    args: &VmArgs,
    contents: &Contents,
) -> anyhow::Result<Vec<Report>> {
    let Some(qemu) = process::find("qemu-system-x86_64") else {
        bail!("find qemu-system-x86_64; run `cargo xtask setup --vm`");
    };
    let kernels = kernels::fetch(workspace, &wanted(&args.kernels))?;
    let folder = workspace.target().join("vm");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let initrd = folder.join(format!("initramfs-{}.cpio", std::process::id()));
    fs::write(&initrd, initramfs::build(contents)?)
        .with_context(|| format!("write {}", initrd.display()))?;

    let machine = qemu::Machine {
        all_on: args.all_on,
        qemu,
        initrd: initrd.clone(),
        time_limit: Duration::from_secs(args.timeout_minutes.saturating_mul(60)),
        logs: logs(workspace),
        keep_log: args.keep_log,
    };
    let reports = run_all(&machine, kernels, args.jobs);
    // Only the space is lost where this fails.
    let _ = fs::remove_file(&initrd);
    reports
}

/// Where consoles are written to, as SERIES.log.
pub(crate) fn logs(workspace: &Workspace) -> PathBuf {
    workspace.target().join("vm/logs")
}

fn wanted(kernels: &[Series]) -> Vec<Series> {
    if kernels.is_empty() { Series::ALL.to_vec() } else { kernels.to_vec() }
}

fn contents(workspace: &Workspace, args: &VmArgs) -> anyhow::Result<Contents> {
    let genome_trace = artifacts::genome_trace(workspace)?;
    let mut programs: Vec<(&str, PathBuf)> = vec![("genome-trace", genome_trace)];
    let command = match &args.shell_command {
        Some(command) => {
            // Whoever tries a command may be in the middle of the other crates.
            match artifacts::workload(workspace) {
                Ok(workload) => programs.push(("genome-trace-workload", workload)),
                Err(error) => eprintln!("xtask: go on without the workload program: {error:#}"),
            }
            command.clone()
        }
        None => {
            programs.push(("genome-trace-workload", artifacts::workload(workspace)?));
            programs.push(("libgenome_trace_fake_nvml.so", artifacts::fake_nvml(workspace)?));
            programs.push(("genome-trace-kernel-tests", artifacts::kernel_tests(workspace)?));
            test_command(&args.test_args)
        }
    };
    Ok(Contents { programs, command })
}

fn test_command(args: &[String]) -> String {
    let mut command = "GENOME_TRACE_BIN=/bin/genome-trace \
                       GENOME_TRACE_WORKLOAD=/bin/genome-trace-workload \
                       GENOME_TRACE_FAKE_NVML=/bin/libgenome_trace_fake_nvml.so \
                       GENOME_TRACE_TEST_SCALE=small \
                       genome-trace-kernel-tests --color=never --test-threads=1"
        .to_owned();
    for arg in args {
        command.push_str(&format!(" '{}'", arg.replace('\'', r"'\''")));
    }
    command
}

/// At most `jobs` machines at once.
fn run_all(
    machine: &qemu::Machine,
    kernels: Vec<Kernel>,
    jobs: usize,
) -> anyhow::Result<Vec<Report>> {
    let count = kernels.len();
    let queue: Mutex<VecDeque<(usize, Kernel)>> =
        Mutex::new(kernels.into_iter().enumerate().collect());
    let reports = Mutex::new(Vec::with_capacity(count));
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, count.max(1)) {
            scope.spawn(|| {
                loop {
                    let next = lock(&queue).pop_front();
                    let Some((n, kernel)) = next else { break };
                    let report = report(machine, &kernel);
                    lock(&reports).push((n, report));
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    if reports.len() != count {
        bail!("run {count} virtual machines: only {} came to an end", reports.len());
    }
    reports.sort_by_key(|(n, _)| *n);
    Ok(reports.into_iter().map(|(_, report)| report).collect())
}

fn report(machine: &qemu::Machine, kernel: &Kernel) -> Report {
    eprintln!("xtask: kernel {}: boot {}", kernel.series, kernel.package);
    let (counts, failure) = match machine.boot(kernel) {
        Ok(end) => (end.counts, end.failure),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    Report { series: kernel.series, counts, failure }
}

/// No code of ours panics while it holds one of these locks half-way through.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
