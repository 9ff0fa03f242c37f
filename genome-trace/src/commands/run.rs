//! `run`: a command under a persona's name.

use std::{
    io::ErrorKind,
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

use anyhow::Context as _;

use crate::cli::Run;

/// As a shell says it: the command was found, and cannot be run.
const CANNOT_RUN: u8 = 126;
/// As a shell says it: the command was not found.
const NOT_FOUND: u8 = 127;

/// Puts the name into the environment and becomes the command, so that its
/// process, its terminal and its status are its own.
pub(super) fn run(options: &Run) -> anyhow::Result<ExitCode> {
    let (program, arguments) =
        options.command.split_first().context("cannot run a command: none was given")?;
    let mut command = Command::new(program);
    command.args(arguments).env("GENOME_PERSONA", &options.persona);
    match &options.genome_id {
        Some(id) => command.env("GENOME_ID", id),
        // Another persona's id is not this one's.
        None => command.env_remove("GENOME_ID"),
    };
    // Returns only where the kernel refused.
    let error = command.exec();
    eprintln!("genome-trace: cannot run {}: {error}", program.display());
    Ok(ExitCode::from(if error.kind() == ErrorKind::NotFound { NOT_FOUND } else { CANNOT_RUN }))
}
