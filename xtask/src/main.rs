//! genome-trace's own build and test commands: `cargo xtask --help`.

mod artifacts;
mod bench;
mod bpf;
mod cargo_messages;
mod check;
mod cli;
mod gpu;
mod libraries;
mod libtest;
mod process;
mod setup;
mod test;
mod verifier_budget;
mod vm;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::workspace::Workspace;

fn main() -> ExitCode {
    if let Some(error) = bpf::rustc_wrapper::become_rustc_if_asked() {
        return fail(&error);
    }
    run(Cli::parse().command).unwrap_or_else(|error| fail(&error))
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("xtask: {error:#}");
    ExitCode::FAILURE
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    match command {
        Command::Setup { vm, bench, prometheus } => {
            setup::setup(&workspace, vm)?;
            if bench {
                setup::install_peers()?;
                setup::fetch_suites(&workspace)?;
            }
            if prometheus {
                setup::install_prometheus()?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::BuildEbpf => bpf::build_ebpf(&workspace).map(|()| ExitCode::SUCCESS),
        Command::Check => Ok(check::main(&workspace)),
        Command::Test(args) => test::main(&workspace, &args),
        Command::Bench(args) => bench::main(&workspace, &args),
        Command::Gpu(args) => gpu::main(&workspace, &args),
        Command::Vm(args) => vm::main(&workspace, &args),
        Command::VerifierBudget(args) => verifier_budget::main(&workspace, &args),
    }
}
