//! `genome-trace-gpu-check`: genome-trace on this machine's GPU, held against
//! nvidia-smi and against processes that say what they hold.
//!
//! `cargo xtask gpu` builds what it needs and starts it; the programs are named
//! by the environment, as for the kernel tests: `GENOME_TRACE_BIN` and
//! `GENOME_TRACE_WORKLOAD`.
//!
//! Exit codes: 0 all that could be checked agrees, 1 something differs or
//! failed, 2 nothing could be checked here, or wrong usage.

mod card;
mod check;
mod cli;
mod compare;
mod cpu;
mod ground;
mod kernel_log;
mod nvidia_smi;
mod refusal;
mod report;
mod stats;
mod worker;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser as _;
use genome_trace_tests_kernel::{Setup, find};

use crate::cli::Cli;
use crate::ground::Ground;
use crate::refusal::NotHere;
use crate::report::{Report, table};

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => match error.downcast_ref() {
            Some(NotHere(reason)) => {
                eprintln!("genome-trace-gpu-check: nothing was checked: {reason}");
                ExitCode::from(2)
            }
            None => {
                eprintln!("genome-trace-gpu-check: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let nvidia_smi = find("nvidia-smi").ok_or_else(|| {
        NotHere("no GPU here: there is no nvidia-smi on PATH; it comes with the driver".to_owned())
    })?;
    if !rustix::process::geteuid().is_root() {
        return Err(NotHere("this is not root; start `cargo xtask gpu` as root".to_owned()).into());
    }
    let setup = Setup::from_env().map_err(NotHere)?;
    let ground = Ground::find(Arc::new(setup), nvidia_smi)?;
    let mut report = Report::new(ground.machine()?);
    print(&table::machine(&report.machine))?;
    for (name, check) in check::ALL {
        eprintln!("gpu: {name} ...");
        let entry = check::run(name, *check, &ground);
        print(&table::check(&entry))?;
        report.checks.push(entry);
    }
    if let Some(path) = &cli.json {
        report.save(path)?;
        eprintln!("gpu: report: {}", path.display());
    }
    print(&table::verdict(&report))?;
    Ok(if report.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("print to stdout")
}
