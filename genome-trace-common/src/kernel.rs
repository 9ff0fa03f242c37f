//! Facts about the running kernel that the programs get as read-only globals
//! before they are verified, so that one object serves every kernel and the
//! verifier drops what this one does not have.

/// Byte offset of a field, or [`ABSENT`].
pub type Offset = u32;

/// The field, or what it stands for, does not exist on this kernel.
pub const ABSENT: Offset = u32::MAX;

macro_rules! kernel_facts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Byte offsets of kernel fields, and a few facts about arguments of
        /// kernel functions, found in the kernel's own BTF at start.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(C)]
        pub struct KernelFacts {
            $($(#[$doc])* pub $name: Offset,)*
        }

        impl KernelFacts {
            /// Nothing known.
            pub const ABSENT: Self = Self { $($name: ABSENT,)* };
        }
    };
}

kernel_facts! {
    /// `task_struct.tgid`
    task_tgid,
    /// `task_struct.pid`
    task_pid,
    /// `task_struct.group_leader`
    task_group_leader,
    /// `task_struct.real_parent`
    task_real_parent,
    /// `task_struct.start_boottime`
    task_start_boottime,
    /// `task_struct.comm`
    task_comm,
    /// `task_struct.signal`
    task_signal,
    /// `task_struct.mm`
    task_mm,
    /// `task_struct.files`
    task_files,
    /// `task_struct.fs`
    task_fs,
    /// `task_struct.cgroups`
    task_cgroups,
    /// `task_struct.real_cred`
    task_real_cred,
    /// `task_struct.exit_code`
    task_exit_code,
    /// `task_struct.thread_node`
    task_thread_node,
    /// `task_struct.se.sum_exec_runtime`
    task_sum_exec_runtime,
    /// `task_struct.utime`
    task_utime,
    /// `task_struct.stime`
    task_stime,
    /// `task_struct.ioac.syscw`
    task_syscw,
    /// `task_struct.ioac.wchar`
    task_wchar,
    /// `task_struct.thread_info.status` (x86: tells a 32-bit system call)
    task_thread_status,
    /// `cred.uid`
    cred_uid,
    /// `css_set.dfl_cgrp`
    css_set_dfl_cgrp,
    /// `css_set.subsys[memory_cgrp_id]`
    css_set_memory,
    /// `cgroup_subsys_state.cgroup`
    css_cgroup,
    /// `cgroup.kn`
    cgroup_kn,
    /// `cgroup.root`
    cgroup_root,
    /// `cgroup_root.hierarchy_id`
    cgroup_root_hierarchy_id,
    /// `kernfs_node.id`
    kernfs_node_id,
    /// `signal_struct.live.counter`
    signal_live,
    /// `signal_struct.nr_threads`
    signal_nr_threads,
    /// `signal_struct.flags`
    signal_flags,
    /// `signal_struct.group_exit_code`
    signal_group_exit_code,
    /// `signal_struct.maxrss`
    signal_maxrss,
    /// `signal_struct.cmaxrss`
    signal_cmaxrss,
    /// `signal_struct.sum_sched_runtime`
    signal_sum_sched_runtime,
    /// `signal_struct.utime`
    signal_utime,
    /// `signal_struct.stime`
    signal_stime,
    /// `signal_struct.ioac.syscw`
    signal_syscw,
    /// `signal_struct.ioac.wchar`
    signal_wchar,
    /// `signal_struct.thread_head`
    signal_thread_head,
    /// `signal_struct.stats_lock.seqcount…sequence`
    signal_stats_sequence,
    /// `signal_struct.oom_score_adj`
    signal_oom_score_adj,
    /// `signal_struct.oom_mm`
    signal_oom_mm,
    /// `kernel_siginfo.si_code`
    siginfo_code,
    /// `k_sigaction.sa.sa_handler`
    sigaction_handler,
    /// `mm_struct.start_code`
    mm_start_code,
    /// `mm_struct.arg_start`
    mm_arg_start,
    /// `mm_struct.arg_end`
    mm_arg_end,
    /// `mm_struct.env_start`
    mm_env_start,
    /// `mm_struct.env_end`
    mm_env_end,
    /// `mm_struct.exe_file`
    mm_exe_file,
    /// `mm_struct.total_vm`
    mm_total_vm,
    /// First counter of `mm_struct.rss_stat`
    mm_rss_stat,
    /// Not an offset: bytes from one counter of `rss_stat` to the next
    mm_rss_stat_stride,
    /// `mem_cgroup.memory`
    mem_cgroup_memory,
    /// `mem_cgroup.css`
    mem_cgroup_css,
    /// `page_counter.usage`
    page_counter_usage,
    /// `page_counter.max`
    page_counter_max,
    /// `page_counter.parent`
    page_counter_parent,
    /// `file.f_path`
    file_path,
    /// `file.f_mode`
    file_mode,
    /// `file.f_inode`
    file_inode,
    /// `path.mnt`
    path_mnt,
    /// `path.dentry`
    path_dentry,
    /// `dentry.d_parent`
    dentry_parent,
    /// `dentry.d_name.name`
    dentry_name,
    /// `dentry.d_name.hash_len`
    dentry_hash_len,
    /// `dentry.d_inode`
    dentry_inode,
    /// `inode.i_mode`
    inode_mode,
    /// `inode.i_ino`
    inode_ino,
    /// `inode.i_generation`
    inode_generation,
    /// `inode.i_sb`
    inode_sb,
    /// `super_block.s_dev`
    super_block_dev,
    /// `super_block.s_magic`
    super_block_magic,
    /// `mount.mnt`
    mount_mnt,
    /// `mount.mnt_parent`
    mount_parent,
    /// `mount.mnt_mountpoint`
    mount_mountpoint,
    /// `vfsmount.mnt_root`
    vfsmount_root,
    /// `files_struct.fdt`
    files_fdt,
    /// `fdtable.fd`
    fdtable_fd,
    /// `fdtable.max_fds`
    fdtable_max_fds,
    /// `fdtable.open_fds`
    fdtable_open_fds,
    /// First entry of `files_struct.fd_array`
    files_fd_array,
    /// Not an offset: BTF id of `struct files_struct`
    files_struct_type,
    /// Not an offset: BTF id of `struct task_struct`
    task_struct_type,
    /// `fs_struct.pwd`
    fs_pwd,
    /// `pt_regs`: number of the system call
    regs_syscall,
    /// `pt_regs`: argument 0 of a system call, as it is when the call returns
    regs_syscall_arg0,
    /// `pt_regs`: argument 1 of a system call or a function
    regs_arg1,
    /// `pt_regs`: argument 2 of a system call or a function
    regs_arg2,
    /// `pt_regs`: argument 0 of a function
    regs_arg0,
    /// `pt_regs`: return value of a function
    regs_return,
    /// `io_kiocb.file`
    io_kiocb_file,
    /// `io_kiocb.opcode`
    io_kiocb_opcode,
    /// `io_uring_cqe.res`
    io_cqe_res,
    /// Not an offset: argument of `io_uring_complete` that is the request
    io_complete_req_arg,
    /// Not an offset: argument that is the result itself
    io_complete_res_arg,
    /// Not an offset: argument that is the completion queue entry
    io_complete_cqe_arg,
    /// Not an offset: argument of `vfs_unlink` that is the dentry
    vfs_unlink_dentry_arg,
    /// Not an offset: how many arguments `vfs_unlink` has
    vfs_unlink_args,
    /// Not an offset: 1 where `mark_victim` has the task, 0 where the PID
    mark_victim_has_task,
    /// Not an offset: argument of `sched_process_exit` that says that the
    /// whole process ended
    exit_group_dead_arg,
    /// `bpf_prog.active`: this kernel runs a program once at a time on a
    /// processor
    prog_active,
    /// Not an offset: 1 where programs have `bpf_get_current_task_btf`
    has_current_task_btf,
    /// Not an offset: 1 where programs have `bpf_task_pt_regs`
    has_task_pt_regs,
    /// Not an offset: BTF id of the kernel's function `bpf_rdonly_cast`
    rdonly_cast,
}

/// The helper that programs call where they mean `bpf_rdonly_cast`: no kernel
/// has one of this number. The loader puts the kernel's function in its place.
pub const CAST_PLACEHOLDER: i32 = 0x6765_6e6f;

/// More than the number of any system call: a power of two.
pub const SYSCALLS_MAX: usize = 1024;

/// [`SyscallActs`]: writes to the descriptor that is its first argument.
pub const SYSCALL_WRITES_ARG0: u8 = 1;
/// Likewise, its third.
pub const SYSCALL_WRITES_ARG2: u8 = 2;
/// Returns the descriptor of a file that it may have created.
pub const SYSCALL_OPENS: u8 = 3;
/// Unlinks the name that is its first argument.
pub const SYSCALL_UNLINKS: u8 = 4;
/// Likewise its second, relative to the first; see unlinkat(2).
pub const SYSCALL_UNLINKS_AT: u8 = 5;

/// What each of this architecture's system calls does that tracepoint mode
/// looks at: `SYSCALL_*` by number, 0 for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct SyscallActs(pub [u8; SYSCALLS_MAX]);

impl SyscallActs {
    /// No call known.
    pub const NONE: Self = Self([0; SYSCALLS_MAX]);
}

/// What this run asks of the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct ProgramConfig {
    /// Process whose own files are not counted; 0 counts everybody's.
    pub excluded_tgid: u32,
    /// 1: only processes in the `WATCHED` map have their files counted.
    pub only_watched: u32,
    /// 1: the header's cgroup is the one in the (v1) memory hierarchy.
    pub cgroup_v1_memory: u32,
    /// Which file kinds are wanted: `1 << Kind`.
    pub file_kinds: u32,
    /// 1: programs can be preempted here, and so have backups.
    pub has_backups: u32,
    /// 1: a process that execs is a candidate until userspace has decided on
    /// its persona.
    pub wants_candidates: u32,
    /// Processors that there may ever be: the `HOT` map has a part for each.
    pub processors: u32,
    /// The number of write(2), whose bytes to standard error are kept for
    /// processes that have the mark; `u32::MAX` where none are.
    pub stderr_call: u32,
}

impl ProgramConfig {
    /// Everything of everybody.
    pub const DEFAULT: Self = Self {
        excluded_tgid: 0,
        only_watched: 0,
        cgroup_v1_memory: 0,
        file_kinds: u32::MAX,
        has_backups: 0,
        wants_candidates: 0,
        processors: 1,
        stderr_call: u32::MAX,
    };
}

#[cfg(feature = "std")]
mod pod {
    use super::{KernelFacts, ProgramConfig, SyscallActs};

    // SAFETY: `repr(C)`, integers only, no padding (all fields are of one size).
    unsafe impl aya::Pod for KernelFacts {}
    // SAFETY: as above.
    unsafe impl aya::Pod for SyscallActs {}
    // SAFETY: as above.
    unsafe impl aya::Pod for ProgramConfig {}
    // SAFETY: `repr(C)`, integers only; the size assert shows no padding.
    unsafe impl aya::Pod for crate::FileKey {}
    // SAFETY: as above.
    unsafe impl aya::Pod for crate::FileCount {}
    // SAFETY: records are `repr(C)`, integers and arrays of them only; the
    // size asserts beside them show that there is no padding.
    unsafe impl aya::Pod for crate::RecordHeader {}
    // SAFETY: as above.
    unsafe impl aya::Pod for crate::ExecRecord {}
    // SAFETY: as above.
    unsafe impl aya::Pod for crate::ExitRecord {}
    // SAFETY: as above.
    unsafe impl aya::Pod for crate::SignalRecord {}
    // SAFETY: as above.
    unsafe impl aya::Pod for crate::OomRecord {}
    // SAFETY: as above.
    unsafe impl aya::Pod for crate::FileRecord {}
    // SAFETY: as above.
    unsafe impl aya::Pod for crate::CgroupRecord {}
    // SAFETY: as above.
    unsafe impl aya::Pod for crate::TaskRecord {}
    // SAFETY: as above.
    unsafe impl aya::Pod for crate::ThreadRecord {}
}
