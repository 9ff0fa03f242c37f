//! Every probe there is: program, hook, and what it needs of the kernel.

use std::{fmt, str::FromStr};

use crate::{kernel::machine::Preemption, model::EventKind};

/// How writes and creations are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// BPF trampolines on the functions that carry them out.
    Fexit,
    /// Kernel probes on the same functions.
    Kprobe,
    /// The exits of the system calls that matter.
    Syscall,
    /// The exit of every system call.
    Tracepoint,
}

impl Mode {
    /// From the cheapest to the one that needs least.
    pub const ALL: [Self; 4] = [Self::Fexit, Self::Kprobe, Self::Syscall, Self::Tracepoint];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
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

impl FromStr for Mode {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.name() == name)
            .ok_or_else(|| format!("no probe mode is called {name:?}"))
    }
}

/// Where a program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    /// A tracepoint, with typed arguments.
    TracepointBtf(&'static str),
    /// The entry of a function, by a trampoline.
    Fentry(&'static [&'static str]),
    /// The return of a function, by a trampoline.
    Fexit(&'static [&'static str]),
    /// The entry of a function, by a kernel probe.
    Kprobe(&'static [&'static str]),
    /// The return of a function, by a kernel probe.
    Kretprobe(&'static [&'static str]),
    /// The returns of system calls, by the tracepoint of each: those of them
    /// that the kernel has, the first of which it must have.
    SyscallExits(&'static [&'static str]),
}

impl Hook {
    /// Whether programs on it can be preempted on such a kernel.
    pub(super) const fn is_preemptible(self, preemption: Preemption) -> bool {
        match self {
            Self::TracepointBtf(_) => preemption.of_tracepoints,
            Self::Fentry(_) | Self::Fexit(_) => preemption.of_trampolines,
            // Kernel probes run with preemption off.
            // and so do these: perf_syscall_exit().
            Self::Kprobe(_) | Self::Kretprobe(_) | Self::SyscallExits(_) => false,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::TracepointBtf(_) => "tp_btf",
            Self::Fentry(_) => "fentry",
            Self::Fexit(_) => "fexit",
            Self::Kprobe(_) => "kprobe",
            Self::Kretprobe(_) => "kretprobe",
            Self::SyscallExits(_) => "tracepoint",
        }
    }

    /// The functions that it can be attached to, the newest name last.
    pub(super) const fn functions(&self) -> &'static [&'static str] {
        match self {
            Self::TracepointBtf(_) | Self::SyscallExits(_) => &[],
            Self::Fentry(names)
            | Self::Fexit(names)
            | Self::Kprobe(names)
            | Self::Kretprobe(names) => names,
        }
    }
}

/// One probe.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProbeSpec {
    /// Name of the program in the object.
    pub(super) program: &'static str,
    pub(super) hook: Hook,
    /// Of which mode it is; `None` for all.
    pub(super) mode: Option<Mode>,
    /// What it is for, in words.
    pub(super) purpose: &'static str,
    /// Which kinds of event it is needed for; empty for every run.
    pub(super) kinds: &'static [EventKind],
    /// Without it the mode, or genome-trace, is of no use.
    pub(super) essential: bool,
    /// Facts without which it tells nothing true.
    pub(super) needs: &'static [&'static str],
    /// Programs on the same hook that stand in for it where it can be
    /// preempted (see the BPF side's row.rs).
    pub(super) backups: &'static [&'static str],
}

/// What every header is read from.
pub(super) const HEADER: &[&str] = &[
    "task_struct.tgid",
    "task_struct.pid",
    "task_struct.group_leader",
    "task_struct.start_boottime",
    "task_struct.comm",
];
const FILE: &[&str] = &[
    "file.f_path",
    "file.f_inode",
    "file.f_mode",
    "path.mnt",
    "path.dentry",
    "dentry.d_parent",
    "dentry.d_name.name",
    "inode.i_mode",
    "inode.i_ino",
    "inode.i_sb",
    "super_block.s_dev",
    "mount.mnt",
    "mount.mnt_parent",
    "mount.mnt_mountpoint",
    "vfsmount.mnt_root",
];
const TABLE: &[&str] = &["task_struct.files", "files_struct.fdt", "fdtable.fd", "fdtable.max_fds"];
const SYSCALL: &[&str] =
    &["pt_regs", "task_struct.files", "files_struct.fdt", "fdtable.fd", "task_struct.fs"];
const UNLINK: &[&str] = &["path.mnt", "path.dentry", "dentry.d_parent", "dentry.d_inode"];

const WRITES: &[EventKind] = &[EventKind::FileWrite];
const CREATIONS: &[EventKind] = &[EventKind::FileCreate];
const UNLINKS: &[EventKind] = &[EventKind::FileUnlink];
const FILES: &[EventKind] = &[EventKind::FileWrite, EventKind::FileCreate, EventKind::FileUnlink];

/// `do_filp_open` is called `do_file_open` since 7.1.
const OPEN: &[&str] = &["do_filp_open", "do_file_open"];

const fn lifecycle(
    program: &'static str,
    purpose: &'static str,
    essential: bool,
    needs: &'static [&'static str],
) -> ProbeSpec {
    let hook = Hook::TracepointBtf(program);
    ProbeSpec { program, hook, mode: None, purpose, kinds: &[], essential, needs, backups: &[] }
}

const fn file(
    mode: Mode,
    program: &'static str,
    hook: Hook,
    purpose: &'static str,
    kinds: &'static [EventKind],
    needs: &'static [&'static str],
) -> ProbeSpec {
    ProbeSpec {
        program,
        hook,
        mode: Some(mode),
        purpose,
        kinds,
        essential: false,
        needs,
        backups: &[],
    }
}

/// Marks a probe that its mode is of no use without: write(2) and open(2) are
/// what a mode is for.
const fn essential(probe: ProbeSpec) -> ProbeSpec {
    ProbeSpec { essential: true, ..probe }
}

/// Gives a probe its backups.
const fn backed(probe: ProbeSpec, backups: &'static [&'static str]) -> ProbeSpec {
    ProbeSpec { backups, ..probe }
}

const fn fexit(
    program: &'static str,
    function: &'static [&'static str],
    purpose: &'static str,
    kinds: &'static [EventKind],
    needs: &'static [&'static str],
) -> ProbeSpec {
    file(Mode::Fexit, program, Hook::Fexit(function), purpose, kinds, needs)
}

const fn syscall_exits(
    program: &'static str,
    events: &'static [&'static str],
    purpose: &'static str,
    kinds: &'static [EventKind],
) -> ProbeSpec {
    let hook = Hook::SyscallExits(events);
    file(Mode::Syscall, program, hook, purpose, kinds, SYSCALL)
}

const fn kprobe(
    program: &'static str,
    function: &'static [&'static str],
    purpose: &'static str,
    kinds: &'static [EventKind],
    needs: &'static [&'static str],
) -> ProbeSpec {
    file(Mode::Kprobe, program, Hook::Kprobe(function), purpose, kinds, needs)
}

const fn kretprobe(
    program: &'static str,
    function: &'static [&'static str],
    purpose: &'static str,
    kinds: &'static [EventKind],
    needs: &'static [&'static str],
) -> ProbeSpec {
    file(Mode::Kprobe, program, Hook::Kretprobe(function), purpose, kinds, needs)
}

/// All probes, in the order in which they are attached: the end of a process
/// before its beginning, so that none is begun and never ended; the entry of a
/// function before its return.
pub(super) static PROBES: &[ProbeSpec] = &[
    backed(
        lifecycle(
            "sched_process_exit",
            "exit: how processes end",
            true,
            &["task_struct.signal", "signal_struct.live", "signal_struct.group_exit_code"],
        ),
        &["sched_process_exit_backup1"],
    ),
    lifecycle("sched_wakeup_new", "fork: new processes", true, &[]),
    backed(
        lifecycle("sched_process_exec", "exec: new programs", true, &["task_struct.mm"]),
        &["sched_process_exec_backup1"],
    ),
    lifecycle(
        "signal_generate",
        "signal: who ends whom",
        false,
        &["signal_struct.flags", "signal_struct.group_exit_code"],
    ),
    lifecycle("signal_deliver", "signal: faults and aborts", false, &["k_sigaction.sa.sa_handler"]),
    lifecycle("mark_victim", "oom_kill: the OOM killer's choice", false, &["task_struct.signal"]),
    lifecycle(
        "cgroup_mkdir",
        "cgroup paths of new cgroups",
        false,
        &["cgroup.kn", "kernfs_node.id"],
    ),
    backed(
        essential(fexit("vfs_write_exit", &["vfs_write"], "write, pwrite", WRITES, FILE)),
        &["vfs_write_exit_backup1"],
    ),
    backed(
        fexit("vfs_writev_exit", &["vfs_writev"], "writev, pwritev, pwritev2", WRITES, FILE),
        &["vfs_writev_exit_backup1"],
    ),
    backed(
        fexit("do_sendfile_exit", &["do_sendfile"], "sendfile", WRITES, TABLE),
        &["do_sendfile_exit_backup1"],
    ),
    backed(
        fexit("do_splice_exit", &["do_splice"], "splice", WRITES, FILE),
        &["do_splice_exit_backup1"],
    ),
    backed(
        fexit(
            "vfs_copy_file_range_exit",
            &["vfs_copy_file_range"],
            "copy_file_range",
            WRITES,
            FILE,
        ),
        &["vfs_copy_file_range_exit_backup1"],
    ),
    backed(
        essential(fexit("do_filp_open_exit", OPEN, "file creations", CREATIONS, FILE)),
        &["do_filp_open_exit_backup1"],
    ),
    backed(
        file(
            Mode::Fexit,
            "security_path_unlink_entry",
            Hook::Fentry(&["security_path_unlink"]),
            "unlinks: the mount",
            UNLINKS,
            UNLINK,
        ),
        &["security_path_unlink_entry_backup1"],
    ),
    backed(
        fexit("vfs_unlink_exit", &["vfs_unlink"], "unlinks", UNLINKS, UNLINK),
        &["vfs_unlink_exit_backup1"],
    ),
    essential(kprobe("vfs_write_enter", &["vfs_write"], "write, pwrite", WRITES, FILE)),
    essential(kretprobe("vfs_write_return", &["vfs_write"], "write, pwrite", WRITES, FILE)),
    kprobe("vfs_writev_enter", &["vfs_writev"], "writev, pwritev, pwritev2", WRITES, FILE),
    kretprobe("vfs_writev_return", &["vfs_writev"], "writev, pwritev, pwritev2", WRITES, FILE),
    kprobe("do_sendfile_enter", &["do_sendfile"], "sendfile", WRITES, TABLE),
    kretprobe("do_sendfile_return", &["do_sendfile"], "sendfile", WRITES, TABLE),
    kprobe("do_splice_enter", &["do_splice"], "splice", WRITES, FILE),
    kretprobe("do_splice_return", &["do_splice"], "splice", WRITES, FILE),
    kprobe("vfs_copy_file_range_enter", &["vfs_copy_file_range"], "copy_file_range", WRITES, FILE),
    kretprobe(
        "vfs_copy_file_range_return",
        &["vfs_copy_file_range"],
        "copy_file_range",
        WRITES,
        FILE,
    ),
    essential(kretprobe("do_filp_open_return", OPEN, "file creations", CREATIONS, FILE)),
    kprobe(
        "security_path_unlink_enter",
        &["security_path_unlink"],
        "unlinks: the mount",
        UNLINKS,
        UNLINK,
    ),
    kprobe("vfs_unlink_enter", &["vfs_unlink"], "unlinks", UNLINKS, UNLINK),
    kretprobe("vfs_unlink_return", &["vfs_unlink"], "unlinks", UNLINKS, UNLINK),
    essential(syscall_exits(
        "syscall_write",
        &[
            "syscalls/sys_exit_write",
            "syscalls/sys_exit_pwrite64",
            "syscalls/sys_exit_writev",
            "syscalls/sys_exit_pwritev",
            "syscalls/sys_exit_pwritev2",
            "syscalls/sys_exit_sendfile64",
        ],
        "write, pwrite, writev, pwritev, pwritev2, sendfile",
        WRITES,
    )),
    syscall_exits(
        "syscall_splice",
        &["syscalls/sys_exit_splice", "syscalls/sys_exit_copy_file_range"],
        "splice, copy_file_range",
        WRITES,
    ),
    essential(syscall_exits(
        "syscall_open",
        &[
            "syscalls/sys_exit_openat",
            "syscalls/sys_exit_open",
            "syscalls/sys_exit_creat",
            "syscalls/sys_exit_openat2",
        ],
        "file creations",
        CREATIONS,
    )),
    syscall_exits(
        "syscall_unlink",
        &["syscalls/sys_exit_unlinkat", "syscalls/sys_exit_unlink"],
        "unlinks",
        UNLINKS,
    ),
    essential(file(
        Mode::Tracepoint,
        "sys_exit",
        Hook::TracepointBtf("sys_exit"),
        "writes, file creations, unlinks",
        FILES,
        SYSCALL,
    )),
    ProbeSpec {
        program: "io_uring_complete",
        hook: Hook::TracepointBtf("io_uring_complete"),
        mode: None,
        purpose: "io_uring writes",
        kinds: WRITES,
        essential: false,
        needs: &["io_kiocb.file", "io_kiocb.opcode"],
        backups: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_what_it_is_for() {
        for mode in Mode::ALL {
            for kind in FILES {
                let covered = PROBES
                    .iter()
                    .any(|p| p.mode == Some(mode) && p.essential && p.kinds.contains(kind));
                assert!(covered || *kind == EventKind::FileUnlink, "{mode} {kind:?}");
            }
        }
    }

    #[test]
    fn names_are_read_back() {
        for mode in Mode::ALL {
            assert_eq!(mode.name().parse(), Ok(mode));
        }
        assert!("auto".parse::<Mode>().is_err());
    }
}
