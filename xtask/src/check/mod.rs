//! `check`: everything about the clone that can be judged without running it.

mod embedded_object;
mod layering;
mod rust_paths;
mod rust_tokens;
mod style;

use std::process::ExitCode;

use crate::workspace::Workspace;

/// How a step ended.
pub(crate) enum Outcome {
    /// All is well.
    Ok,
    /// This machine cannot tell, and why.
    Skipped(String),
    /// What is wrong.
    Failed(String),
}

impl Outcome {
    fn of(result: anyhow::Result<Self>) -> Self {
        result.unwrap_or_else(|error| Self::Failed(format!("{error:#}")))
    }
}

type Step = fn(&Workspace) -> anyhow::Result<Outcome>;

/// What `check` does, in order: the quick ones first.
const STEPS: [(&str, Step); 7] = [
    ("layers of genome-trace/src", layering::check),
    ("embedded object's manifest", embedded_object::is_fresh),
    ("format", style::format),
    ("format of genome-trace-ebpf", style::format_ebpf),
    ("clippy", style::clippy),
    ("clippy of genome-trace-ebpf", style::clippy_ebpf),
    ("embedded object built anew", embedded_object::is_reproducible),
];

/// The subcommand: all steps run, whatever the ones before say.
pub(crate) fn main(workspace: &Workspace) -> ExitCode {
    let mut failed = false;
    for (name, step) in STEPS {
        eprintln!("check: {name} ...");
        match Outcome::of(step(workspace)) {
            Outcome::Ok => println!("{name}: ok"),
            Outcome::Skipped(reason) => println!("{name}: skipped: {reason}"),
            Outcome::Failed(reason) => {
                failed = true;
                println!("{name}: FAILED: {}", reason.trim_end());
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
