//! `genome-trace-workload`: a program that misbehaves on purpose.
//!
//! Every subcommand does one kind of work with real processes, real files and
//! real deaths, and prints one line of JSON that says exactly what it did. The
//! tests hold the tracer's account against that line. Work that is counted is
//! done by a forked worker that does nothing else: not one write of the worker
//! is anything but the work.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 77 this kernel or machine
//! refuses the work (then stdout has `{"unsupported": reason}`).

mod cli;
mod hold;
mod load;
mod sys;
mod truth;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use serde_json::Value;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match &cli.command {
        Command::Exit(args) => return ExitCode::from(args.code),
        Command::Touch(args) => {
            return match load::touch::run(args) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => truth::tell_failure(&error),
            };
        }
        _ => {}
    }
    let outcome = prepare(&cli).and_then(|()| work(&cli.command));
    match outcome.and_then(|facts| truth::tell(cli.command.name(), facts)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => truth::tell_failure(&error),
    }
}

fn prepare(cli: &Cli) -> anyhow::Result<()> {
    if !cli.cpus.is_empty() {
        sys::process::run_on(&cli.cpus)
            .with_context(|| format!("run on processors {:?} only", cli.cpus))?;
    }
    if let Some(uid) = cli.as_uid {
        sys::process::become_user(uid).with_context(|| format!("become user {uid}"))?;
    }
    if cli.hold {
        hold::until_released(cli.command.name())?;
    }
    Ok(())
}

fn work(command: &Command) -> anyhow::Result<Value> {
    match command {
        Command::SpawnStorm(args) => load::spawn_storm::run(args),
        Command::ExitStorm(args) => load::exit_storm::run(args),
        Command::CreateFiles(args) => load::create_files::run(args),
        Command::JsonLoop(args) => load::json_loop::run(args),
        Command::WriteStorm(args) => load::write_storm::run(args),
        Command::SyscallStorm(args) => load::syscall_storm::run(args),
        Command::Paced(args) => load::paced::run(args),
        Command::Churn(args) => load::churn::run(args),
        Command::Memfd(args) => load::memfd::run(args),
        Command::Unlink(args) => load::unlink::run(args),
        Command::Crash(args) => load::crash::run(args),
        Command::KillVictim(args) => load::kill_victim::run(args),
        Command::Oom(args) => load::oom::run(args),
        Command::Threads(args) => load::threads::run(args),
        Command::Mixed(args) => load::mixed::run(args),
        Command::Tree(args) => load::tree::run(args),
        Command::PidReuse(args) => load::pid_reuse::run(args),
        Command::Vram(args) => load::vram::run(args),
        Command::GoWrong(args) => load::go_wrong::run(args),
        // Answered by `main`, which has nothing to tell about them.
        Command::Touch(_) | Command::Exit(_) => Ok(Value::Null),
    }
}
