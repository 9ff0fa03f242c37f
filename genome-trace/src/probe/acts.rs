//! What this architecture's system calls do that tracepoint mode looks at; the
//! newer architectures have only the `at` forms.

use genome_trace_common::{
    SYSCALL_OPENS, SYSCALL_UNLINKS, SYSCALL_UNLINKS_AT, SYSCALL_WRITES_ARG0, SYSCALL_WRITES_ARG2,
    SyscallActs,
};

const ACTS: &[(libc::c_long, u8)] = &[
    (libc::SYS_write, SYSCALL_WRITES_ARG0),
    (libc::SYS_pwrite64, SYSCALL_WRITES_ARG0),
    (libc::SYS_writev, SYSCALL_WRITES_ARG0),
    (libc::SYS_pwritev, SYSCALL_WRITES_ARG0),
    (libc::SYS_pwritev2, SYSCALL_WRITES_ARG0),
    (libc::SYS_sendfile, SYSCALL_WRITES_ARG0),
    (libc::SYS_splice, SYSCALL_WRITES_ARG2),
    (libc::SYS_copy_file_range, SYSCALL_WRITES_ARG2),
    (libc::SYS_openat, SYSCALL_OPENS),
    (libc::SYS_openat2, SYSCALL_OPENS),
    (libc::SYS_unlinkat, SYSCALL_UNLINKS_AT),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, SYSCALL_OPENS),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, SYSCALL_OPENS),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_unlink, SYSCALL_UNLINKS),
];

/// The table for the programs.
pub(super) fn acts() -> SyscallActs {
    let mut acts = SyscallActs::NONE;
    for (number, act) in ACTS {
        let slot = usize::try_from(*number).ok().and_then(|number| acts.0.get_mut(number));
        if let Some(slot) = slot {
            *slot = *act;
        }
    }
    acts
}

/// The number of write(2).
pub(super) fn write_call() -> u32 {
    u32::try_from(libc::SYS_write).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_its_place() {
        let known = acts().0.iter().filter(|act| **act != 0).count();
        assert_eq!(known, ACTS.len());
    }
}
