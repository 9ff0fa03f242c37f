//! The ways in which the tracer sees writes and creations.

use std::fmt;

/// One way of probing I/O.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// BPF trampolines at the end of kernel functions.
    Fexit,
    /// Kprobes and kretprobes on the same functions.
    Kprobe,
    /// Tracepoints at the end of the system calls that matter.
    Syscall,
    /// A tracepoint at the end of every system call.
    Tracepoint,
}

impl Mode {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [Self::Fexit, Self::Kprobe, Self::Syscall, Self::Tracepoint];

    /// The name that `--probe-mode` and `doctor` use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fexit => "fexit",
            Self::Kprobe => "kprobe",
            Self::Syscall => "syscall",
            Self::Tracepoint => "tracepoint",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
