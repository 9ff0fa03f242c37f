//! trace-cmd, and a script that polls with psutil.

use super::count::{sum, tally};
use super::{Ready, Tool};

/// Each write, into trace-cmd's own file. What is in it only trace-cmd can say.
pub(super) const TRACE_CMD: Tool = Tool {
    name: "trace-cmd record",
    program: "trace-cmd",
    words: |_, output| {
        let data = output.with_extension("data").display().to_string();
        ["record", "-e", "syscalls:sys_enter_write", "-o", &data].map(str::to_owned).into()
    },
    ready: |_| Ready::Output("Ctrl^C"),
    count: |_, _, _| Ok(Vec::new()),
    needs_tracefs: true,
    buffers_words: true,
};

/// What people do who have no tracer: look at everybody ten times a second.
pub(super) const PSUTIL: Tool = Tool {
    name: "psutil polling",
    program: "python3",
    words: |target, _| {
        vec!["-c".to_owned(), include_str!("poll.py").to_owned(), target.workload_tgid.to_string()]
    },
    ready: |_| Ready::Talk("polling"),
    count: |_, output, truth| {
        // It sees processes; of writes it reads a sum that the kernel keeps.
        let Ok(spawned) = truth.number("spawned") else { return Ok(Vec::new()) };
        let seen = sum(output, |line| line.trim().parse().unwrap_or(0))?;
        Ok(tally("process", spawned, seen, 0))
    },
    needs_tracefs: false,
    buffers_words: false,
};
