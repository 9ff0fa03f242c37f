//! A command that nobody watches: this process becomes it.

use std::{io, io::ErrorKind, os::unix::process::CommandExt as _, process::ExitCode};

use super::invoker::Invoker;
use crate::{cli::Run, render::text::Escaped};

/// As a shell says it: the command was found, and cannot be run.
const CANNOT_RUN: u8 = 126;
/// As a shell says it: the command was not found.
const NOT_FOUND: u8 = 127;

/// Becomes the command, so that its process, its terminal and its status are its
/// own.
pub(super) fn run(options: &Run, invoker: &Invoker) -> anyhow::Result<ExitCode> {
    let (mut command, identity) = invoker.command(options)?;
    if let Some(identity) = identity {
        identity.give_to(&mut command);
    }
    // Returns only where the kernel refused.
    let error = command.exec();
    Ok(cannot_run(options, &error))
}

/// Says why the command cannot be executed.
pub(super) fn cannot_run(options: &Run, error: &io::Error) -> ExitCode {
    let program = options.command.first().map(|program| program.as_encoded_bytes());
    eprintln!("genome-trace: cannot run {}: {error}", Escaped(program.unwrap_or_default()));
    ExitCode::from(if error.kind() == ErrorKind::NotFound { NOT_FOUND } else { CANNOT_RUN })
}
