//! The views and actions, one a file: the only place where parts are put
//! together.

mod doctor;
mod follow;
mod personas;
mod run;
mod setup;
mod shell;

use std::process::ExitCode;

use crate::cli::{Action, Cli};

/// Does what the command line asks for; the exit status where that is not an
/// error.
///
/// # Errors
/// A sentence that names the operation, the object and the remedy.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.action {
        Some(Action::Doctor(options)) => doctor::run(&options),
        Some(Action::Personas(options)) => personas::run(&options),
        Some(Action::Run(options)) => run::run(&options),
        Some(Action::Completions { shell }) => shell::completions(shell),
        Some(Action::Man) => shell::manual(),
        None => follow::run(&cli.view),
    }
}
