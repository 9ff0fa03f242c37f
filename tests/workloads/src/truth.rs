//! The one line of JSON that says what a workload did.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Value, json};

/// Exit code for work that this kernel or machine refuses, as automake has it.
pub(crate) const UNSUPPORTED: u8 = 77;

/// The kernel or the machine does not offer what the workload needs.
#[derive(Debug)]
pub(crate) struct Unsupported(pub(crate) String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsupported {}

/// Prints the facts, with the workload's name and this process' pid.
pub(crate) fn tell(workload: &str, facts: Value) -> anyhow::Result<()> {
    let mut line = json!({ "workload": workload, "pid": std::process::id() });
    if let (Some(line), Value::Object(facts)) = (line.as_object_mut(), facts) {
        line.extend(facts);
    }
    print(&line)
}

/// Prints why there are no facts, and gives the exit code for it.
pub(crate) fn tell_failure(error: &anyhow::Error) -> ExitCode {
    let Some(Unsupported(reason)) = error.downcast_ref() else {
        eprintln!("genome-trace-workload: {error:#}");
        return ExitCode::FAILURE;
    };
    match print(&json!({ "unsupported": reason })) {
        Ok(()) => ExitCode::from(UNSUPPORTED),
        Err(error) => {
            eprintln!("genome-trace-workload: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// One line, out of this process before anything else happens.
pub(crate) fn print(line: &Value) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("print to stdout")
}
