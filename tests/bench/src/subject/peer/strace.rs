//! strace, on the workload and what it forks.

use std::path::Path;

use super::count::{column, sum, tally};
use super::{Ready, Target, Tool};

/// Writes, counted.
pub(super) const COUNT: Tool = Tool {
    name: "strace -f -c",
    words: |target, output| words(target, output, &["-c", "-e", "trace=write"]),
    // The workload's own line is counted with the worker's writes.
    count: |_, _, _| Ok(Vec::new()),
    ..PRINT
};

/// Each write, printed.
pub(super) const PRINT: Tool = Tool {
    name: "strace -f",
    program: "strace",
    words: |target, output| words(target, output, &["-e", "trace=write"]),
    ready: |_| Ready::Talk(" attached"),
    count: |_, output, truth| {
        let workers = truth.workers();
        let seen = sum(output, |line| {
            let is_theirs = column(line, 0).is_some_and(|pid| workers.contains(&pid));
            u64::from(is_theirs && line.contains("write("))
        })?;
        Ok(tally("write", truth.number("write_calls")?, seen, 0))
    },
    needs_tracefs: false,
    buffers_words: false,
};

/// Each fork, exec and exit, printed.
pub(super) const PROCESSES: Tool = Tool {
    words: |target, output| words(target, output, &["-e", "trace=process"]),
    count: |_, output, truth| {
        let seen = sum(output, |line| u64::from(line.contains(" execve(")))?;
        Ok(tally("exec", truth.number("spawned")?, seen, 0))
    },
    ..PRINT
};

/// Each open, printed.
pub(super) const OPENS: Tool = Tool {
    words: |target, output| words(target, output, &["-e", "trace=openat"]),
    count: |_, output, truth| {
        let seen = sum(output, |line| u64::from(line.contains("O_CREAT")))?;
        Ok(tally("open", truth.number("files_created")?, seen, 0))
    },
    ..PRINT
};

fn words(target: &Target, output: &Path, more: &[&str]) -> Vec<String> {
    let (output, tgid) = (output.display().to_string(), target.workload_tgid.to_string());
    let mut words = vec!["-f", "-p", &tgid, "-o", &output];
    words.extend(more);
    words.into_iter().map(str::to_owned).collect()
}
