//! perf record and perf trace.

use std::path::{Path, PathBuf};

use super::count::{mentions, sum, tally};
use super::{Ready, Tool};

/// Each write, into perf's own file. What is in it only perf can say.
pub(super) const RECORD: Tool = Tool {
    name: "perf record",
    program: "perf",
    words: |_, output| {
        let control =
            format!("--control=fifo:{},{}", order(output).display(), answer(output).display());
        let data = data(output).display().to_string();
        ["record", "-a", "-e", "syscalls:sys_enter_write", "-D", "-1", &control, "-o", &data]
            .map(str::to_owned)
            .into()
    },
    ready: |output| Ready::Control { order: order(output), answer: answer(output) },
    count: |_, _, _| Ok(Vec::new()),
    needs_tracefs: true,
    buffers_words: false,
};

/// Each write, printed.
pub(super) const TRACE: Tool = Tool {
    name: "perf trace",
    program: "perf",
    words: |_, output| {
        let output = output.display().to_string();
        ["trace", "-a", "-e", "write", "-o", &output].map(str::to_owned).into()
    },
    ready: |_| Ready::Canary,
    count: |_, output, truth| {
        let workers = truth.workers();
        let seen =
            sum(output, |line| u64::from(line.contains("write(") && mentions(line, &workers)))?;
        Ok(tally("write", truth.number("write_calls")?, seen, 0))
    },
    needs_tracefs: true,
    buffers_words: false,
};

fn order(output: &Path) -> PathBuf {
    output.with_extension("order")
}

fn answer(output: &Path) -> PathBuf {
    output.with_extension("answer")
}

fn data(output: &Path) -> PathBuf {
    output.with_extension("data")
}
