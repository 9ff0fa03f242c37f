//! bpftrace: counting in the kernel, and printing each.

use std::path::Path;

use super::count::{column, sum, tally};
use super::{Ready, Tool};
use crate::account::Tally;
use crate::workload::Truth;

/// Writes, counted per process in the kernel. The interval is attached with
/// the rest, and its first tick shows that all of it is.
pub(super) const COUNT: Tool = Tool {
    name: "bpftrace count",
    program: "bpftrace",
    words: |_, _| {
        script(
            "tracepoint:syscalls:sys_enter_write { @[pid] = count(); } \
             interval:ms:10 /!@ticked/ { @ticked = 1; printf(\"attached\\n\"); }",
        )
    },
    ready: |_| Ready::Output("\nattached"),
    count: |_, output, truth| count(output, truth),
    needs_tracefs: true,
    buffers_words: false,
};

/// Each write of a workload, printed.
pub(super) const PRINT: Tool = Tool {
    name: "bpftrace print",
    program: "bpftrace",
    words: |_, _| {
        script(
            "tracepoint:syscalls:sys_enter_write /comm == \"genome-trace-wo\"/ \
             { printf(\"%d %d\\n\", pid, args->count); }",
        )
    },
    ready: |_| Ready::Canary,
    count: |_, output, truth| {
        let workers = truth.workers();
        let seen = sum(output, |line| {
            u64::from(column(line, 0).is_some_and(|pid| workers.contains(&pid)))
        })?;
        let lost = sum(output, lost)?;
        Ok(tally("write", truth.number("write_calls")?, seen, lost))
    },
    needs_tracefs: true,
    buffers_words: false,
};

fn script(text: &str) -> Vec<String> {
    vec!["-e".to_owned(), text.to_owned()]
}

fn count(output: &Path, truth: &Truth) -> anyhow::Result<Vec<Tally>> {
    let Ok(calls) = truth.number("write_calls") else { return Ok(Vec::new()) };
    let workers = truth.workers();
    let seen = sum(output, |line| match counted(line) {
        Some((pid, calls)) if workers.contains(&pid) => calls,
        _ => 0,
    })?;
    Ok(tally("write", calls, seen, 0))
}

/// `@[4711]: 99`
fn counted(line: &str) -> Option<(u64, u64)> {
    let (pid, calls) = line.trim().strip_prefix("@[")?.split_once("]: ")?;
    Some((pid.parse().ok()?, calls.parse().ok()?))
}

/// `Lost 7 events`
fn lost(line: &str) -> u64 {
    if line.starts_with("Lost ") { column(line, 1).unwrap_or(0) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_lines_and_losses() {
        assert_eq!(counted("@[29901]: 1000\n"), Some((29_901, 1000)));
        assert_eq!(counted("@ticked: 1"), None);
        assert_eq!((lost("Lost 7 events"), lost("4711 7")), (7, 0));
    }

    #[test]
    fn only_the_workers_count() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "attached\n\n@[7]: 3\n@[8]: 5\n@ticked: 1\n").unwrap();
        let truth = Truth::parse(r#"{"write_calls":5,"workers":[{"pid":8}]}"#).unwrap();
        assert_eq!(count(file.path(), &truth).unwrap(), tally("write", 5, 5, 0));
    }
}
