//! Prometheus' own judgement of metrics and rules.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::Checks;

/// `promtool check` with these words finds nothing in what it is given on its
/// stdin, or says of files that they are right. Where there is no promtool, says
/// so.
pub fn promtool(checks: &mut Checks, words: &[&str], stdin: &str) -> anyhow::Result<()> {
    let promtool = Command::new("promtool")
        .arg("check")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = match promtool {
        Ok(promtool) => promtool,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("promtool's check is skipped: it is not here (Debian: prometheus)");
            return Ok(());
        }
        Err(error) => return Err(error).context("start promtool"),
    };
    let mut pipe = promtool.stdin.take().context("promtool has no stdin")?;
    pipe.write_all(stdin.as_bytes()).context("write to promtool")?;
    drop(pipe);
    let checked = promtool.wait_with_output().context("wait for promtool")?;
    let said = [checked.stdout, checked.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    // Of a file it says what it looked at, and that all is well.
    let is_fault = |line: &str| {
        let line = line.trim();
        !(line.is_empty() || line.starts_with("Checking ") || line.starts_with("SUCCESS: "))
    };
    checks.holds(
        checked.status.success() && !said.lines().any(is_fault),
        format_args!("promtool check {}: {said}", words.join(" ")),
    );
    Ok(())
}
