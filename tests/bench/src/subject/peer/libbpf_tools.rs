//! libbpf-tools: execsnoop, exitsnoop, opensnoop, syscount.

use std::path::Path;

use super::count::{column, sum, tally};
use super::{Ready, Target, Tool};
use crate::account::Tally;
use crate::workload::Truth;

/// Every exec, printed.
pub(super) const EXECSNOOP: Tool = Tool {
    name: "execsnoop",
    program: "execsnoop",
    words: |_, _| Vec::new(),
    ready: |_| Ready::Canary,
    // PCOMM PID PPID RET ARGS
    count: |target, output, truth| children("exec", target, output, truth),
    needs_tracefs: true,
    buffers_words: false,
};

/// Every exit, printed.
pub(super) const EXITSNOOP: Tool = Tool {
    name: "exitsnoop",
    program: "exitsnoop",
    words: |_, _| Vec::new(),
    ready: |_| Ready::Canary,
    // PCOMM PID PPID TID AGE(s) EXIT_CODE
    count: |target, output, truth| children("exit", target, output, truth),
    needs_tracefs: true,
    buffers_words: false,
};

/// Every open, printed.
pub(super) const OPENSNOOP: Tool = Tool {
    name: "opensnoop",
    program: "opensnoop",
    words: |_, _| Vec::new(),
    ready: |_| Ready::Canary,
    // PID COMM FD ERR PATH
    count: |_, output, truth| {
        let workers = truth.workers();
        let seen = sum(output, |line| {
            u64::from(column(line, 0).is_some_and(|pid| workers.contains(&pid)))
        })?;
        Ok(tally("open", truth.number("files_created")?, seen, 0))
    },
    needs_tracefs: true,
    buffers_words: false,
};

/// All system calls, counted per process in the kernel. It prints the ten
/// busiest, and what else they called: no count to hold against the truth.
pub(super) const SYSCOUNT: Tool = Tool {
    name: "syscount -P",
    program: "syscount",
    words: |_, _| vec!["-P".to_owned()],
    ready: |_| Ready::Output("Tracing syscalls"),
    count: |_, _, _| Ok(Vec::new()),
    needs_tracefs: true,
    buffers_words: true,
};

fn children(
    kind: &str,
    target: &Target,
    output: &Path,
    truth: &Truth,
) -> anyhow::Result<Vec<Tally>> {
    let Ok(spawned) = truth.number("spawned") else { return Ok(Vec::new()) };
    let parent = Some(u64::from(target.workload_tgid));
    let seen = sum(output, |line| u64::from(column(line, 2) == parent))?;
    Ok(tally(kind, spawned, seen, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Aim;

    #[test]
    fn lines_of_children_count() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let said = "PCOMM            PID    PPID   RET ARGS\n\
                    true             4712   4711     0 /bin/true storm-0\n\
                    sh               4800   1        0 /bin/sh 4711\n";
        std::fs::write(file.path(), said).unwrap();
        let target = Target { aim: Aim::Lifecycle, workload_tgid: 4711, bystander_tgid: 1 };
        let truth = Truth::parse(r#"{"spawned":2}"#).unwrap();
        let tallies = children("exec", &target, file.path(), &truth).unwrap();
        assert_eq!(tallies, tally("exec", 2, 1, 0));
    }
}
