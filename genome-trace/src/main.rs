//! The binary: parse, dispatch, print the error once, exit code.

use std::process::ExitCode;

use genome_trace::{cli::Cli, commands};

fn main() -> ExitCode {
    match commands::run(Cli::read()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("genome-trace: {error:#}");
            ExitCode::FAILURE
        }
    }
}
