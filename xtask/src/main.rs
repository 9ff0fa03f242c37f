//! genome-trace's own build and test commands: `cargo xtask --help`.

mod artifacts;
mod bpf;
mod cargo_messages;
mod check;
mod cli;
mod libraries;
mod libtest;
mod process;
mod setup;
mod test;
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
        Command::Setup { vm } => setup::setup(&workspace, vm).map(|()| ExitCode::SUCCESS),
        Command::BuildEbpf => bpf::build_ebpf(&workspace).map(|()| ExitCode::SUCCESS),
        Command::Check => Ok(check::main(&workspace)),
        Command::Test(args) => test::main(&workspace, &args),
        Command::Vm(args) => vm::main(&workspace, &args),
    }
}
