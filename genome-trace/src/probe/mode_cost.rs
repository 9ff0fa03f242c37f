//! What a mode costs, in words: who pays, and where. The figures are the
//! kernel's (`doctor --cost`); what stands here is what no figure shows.

use super::Mode;

impl Mode {
    /// Who pays for this way to see files, and where.
    #[must_use]
    pub const fn cost(self) -> &'static str {
        match self {
            Self::Fexit => {
                "a call at the end of each write, creation and unlink; whoever does none pays \
                 nothing"
            }
            Self::Kprobe => {
                "a trap or jump at the beginning and at the end of each write, creation and \
                 unlink, dearer than fexit's call; whoever does none pays nothing"
            }
            Self::Syscall => {
                "a call at the end of each write, open and unlink, dearer than tracepoint's, and \
                 the kernel's slower way through every system call of every process"
            }
            Self::Tracepoint => {
                "a call at the end of every system call of every process, whatever it does, and \
                 the kernel's slower way through each"
            }
        }
    }
}
