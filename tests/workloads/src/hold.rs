//! Waiting until a tracer has attached.

use std::io;

use anyhow::Context as _;
use serde_json::json;

use crate::truth;

/// Prints this process' pid, and returns on a line or the end of stdin.
pub(crate) fn until_released(workload: &str) -> anyhow::Result<()> {
    truth::print(&json!({ "held": workload, "pid": std::process::id() }))?;
    let mut line = String::new();
    io::stdin().read_line(&mut line).context("wait for a line on stdin")?;
    Ok(())
}
