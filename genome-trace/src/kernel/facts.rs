//! The facts that the BPF programs are given, found in the kernel's BTF.

use genome_trace_common::{ABSENT, KernelFacts};

use super::btf::Btf;

/// Where a fact is found: the first of these fields that the kernel has.
type Paths = &'static [&'static str];
type Slot = fn(&mut KernelFacts) -> &mut u32;

/// Plain fields. The first path is the fact's name in messages.
const FIELDS: &[(Slot, Paths)] = &[
    (|f| &mut f.task_tgid, &["task_struct.tgid"]),
    (|f| &mut f.task_pid, &["task_struct.pid"]),
    (|f| &mut f.task_group_leader, &["task_struct.group_leader"]),
    (|f| &mut f.task_real_parent, &["task_struct.real_parent"]),
    (|f| &mut f.task_start_boottime, &["task_struct.start_boottime"]),
    (|f| &mut f.task_comm, &["task_struct.comm"]),
    (|f| &mut f.task_signal, &["task_struct.signal"]),
    (|f| &mut f.task_mm, &["task_struct.mm"]),
    (|f| &mut f.task_files, &["task_struct.files"]),
    (|f| &mut f.task_fs, &["task_struct.fs"]),
    (|f| &mut f.task_cgroups, &["task_struct.cgroups"]),
    (|f| &mut f.task_real_cred, &["task_struct.real_cred"]),
    (|f| &mut f.task_exit_code, &["task_struct.exit_code"]),
    (|f| &mut f.task_thread_node, &["task_struct.thread_node"]),
    (|f| &mut f.task_sum_exec_runtime, &["task_struct.se.sum_exec_runtime"]),
    (|f| &mut f.task_utime, &["task_struct.utime"]),
    (|f| &mut f.task_stime, &["task_struct.stime"]),
    (|f| &mut f.task_syscw, &["task_struct.ioac.syscw"]),
    (|f| &mut f.task_wchar, &["task_struct.ioac.wchar"]),
    (|f| &mut f.task_thread_status, &["task_struct.thread_info.status"]),
    (|f| &mut f.cred_uid, &["cred.uid"]),
    (|f| &mut f.css_set_dfl_cgrp, &["css_set.dfl_cgrp"]),
    (|f| &mut f.css_cgroup, &["cgroup_subsys_state.cgroup"]),
    (|f| &mut f.cgroup_kn, &["cgroup.kn"]),
    (|f| &mut f.cgroup_root, &["cgroup.root"]),
    (|f| &mut f.cgroup_root_hierarchy_id, &["cgroup_root.hierarchy_id"]),
    (|f| &mut f.kernfs_node_id, &["kernfs_node.id"]),
    (|f| &mut f.signal_live, &["signal_struct.live"]),
    (|f| &mut f.signal_nr_threads, &["signal_struct.nr_threads"]),
    (|f| &mut f.signal_flags, &["signal_struct.flags"]),
    (|f| &mut f.signal_group_exit_code, &["signal_struct.group_exit_code"]),
    (|f| &mut f.signal_maxrss, &["signal_struct.maxrss"]),
    (|f| &mut f.signal_cmaxrss, &["signal_struct.cmaxrss"]),
    (|f| &mut f.signal_sum_sched_runtime, &["signal_struct.sum_sched_runtime"]),
    (|f| &mut f.signal_utime, &["signal_struct.utime"]),
    (|f| &mut f.signal_stime, &["signal_struct.stime"]),
    (|f| &mut f.signal_syscw, &["signal_struct.ioac.syscw"]),
    (|f| &mut f.signal_wchar, &["signal_struct.ioac.wchar"]),
    (|f| &mut f.signal_thread_head, &["signal_struct.thread_head"]),
    (
        |f| &mut f.signal_stats_sequence,
        &[
            "signal_struct.stats_lock.seqcount.seqcount.sequence",
            "signal_struct.stats_lock.seqcount.sequence",
        ],
    ),
    (|f| &mut f.signal_oom_score_adj, &["signal_struct.oom_score_adj"]),
    (|f| &mut f.signal_oom_mm, &["signal_struct.oom_mm"]),
    (|f| &mut f.siginfo_code, &["kernel_siginfo.si_code"]),
    (|f| &mut f.sigaction_handler, &["k_sigaction.sa.sa_handler"]),
    (|f| &mut f.mm_start_code, &["mm_struct.start_code"]),
    (|f| &mut f.mm_arg_start, &["mm_struct.arg_start"]),
    (|f| &mut f.mm_arg_end, &["mm_struct.arg_end"]),
    (|f| &mut f.mm_env_start, &["mm_struct.env_start"]),
    (|f| &mut f.mm_env_end, &["mm_struct.env_end"]),
    (|f| &mut f.mm_exe_file, &["mm_struct.exe_file"]),
    (|f| &mut f.mm_total_vm, &["mm_struct.total_vm"]),
    (|f| &mut f.mem_cgroup_memory, &["mem_cgroup.memory"]),
    (|f| &mut f.mem_cgroup_css, &["mem_cgroup.css"]),
    (|f| &mut f.page_counter_usage, &["page_counter.usage"]),
    (|f| &mut f.page_counter_max, &["page_counter.max"]),
    (|f| &mut f.page_counter_parent, &["page_counter.parent"]),
    (|f| &mut f.file_path, &["file.f_path"]),
    (|f| &mut f.file_mode, &["file.f_mode"]),
    (|f| &mut f.file_inode, &["file.f_inode"]),
    (|f| &mut f.path_mnt, &["path.mnt"]),
    (|f| &mut f.path_dentry, &["path.dentry"]),
    (|f| &mut f.dentry_parent, &["dentry.d_parent"]),
    (|f| &mut f.dentry_name, &["dentry.d_name.name"]),
    (|f| &mut f.dentry_hash_len, &["dentry.d_name.hash_len"]),
    (|f| &mut f.dentry_inode, &["dentry.d_inode"]),
    (|f| &mut f.inode_mode, &["inode.i_mode"]),
    (|f| &mut f.inode_ino, &["inode.i_ino"]),
    (|f| &mut f.inode_generation, &["inode.i_generation"]),
    (|f| &mut f.inode_sb, &["inode.i_sb"]),
    (|f| &mut f.super_block_dev, &["super_block.s_dev"]),
    (|f| &mut f.super_block_magic, &["super_block.s_magic"]),
    (|f| &mut f.mount_mnt, &["mount.mnt"]),
    (|f| &mut f.mount_parent, &["mount.mnt_parent"]),
    (|f| &mut f.mount_mountpoint, &["mount.mnt_mountpoint"]),
    (|f| &mut f.vfsmount_root, &["vfsmount.mnt_root"]),
    (|f| &mut f.files_fdt, &["files_struct.fdt"]),
    (|f| &mut f.fdtable_fd, &["fdtable.fd"]),
    (|f| &mut f.fdtable_max_fds, &["fdtable.max_fds"]),
    (|f| &mut f.fdtable_open_fds, &["fdtable.open_fds"]),
    (|f| &mut f.files_fd_array, &["files_struct.fd_array"]),
    (|f| &mut f.fs_pwd, &["fs_struct.pwd"]),
    (|f| &mut f.io_kiocb_file, &["io_kiocb.file"]),
    (|f| &mut f.io_kiocb_opcode, &["io_kiocb.opcode"]),
    (|f| &mut f.io_cqe_res, &["io_uring_cqe.res"]),
];

/// The facts of one kernel, and which of the fields it does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFacts {
    /// For the BPF programs.
    pub facts: KernelFacts,
    /// Names of what this kernel lacks.
    pub missing: Vec<&'static str>,
}

impl FoundFacts {
    /// Looks everything up.
    #[must_use]
    pub fn from_btf(btf: &Btf<'_>) -> Self {
        let mut facts = KernelFacts::ABSENT;
        let mut missing = Vec::new();
        for (slot, paths) in FIELDS {
            match paths.iter().find_map(|path| btf.offset_of(path)) {
                Some(offset) => *slot(&mut facts) = offset,
                None => missing.extend(paths.first()),
            }
        }
        memory_cgroup(btf, &mut facts, &mut missing);
        rss_stat(btf, &mut facts, &mut missing);
        registers(btf, &mut facts, &mut missing);
        arguments(btf, &mut facts);
        direct_loads(btf, &mut facts);
        Self { facts, missing }
    }
}

/// Names of all facts, for tests that hold the probes' needs against them.
pub fn names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().filter_map(|(_, paths)| paths.first().copied()).chain([
        "css_set.subsys",
        "mm_struct.rss_stat",
        "pt_regs",
    ])
}

fn memory_cgroup(btf: &Btf<'_>, facts: &mut KernelFacts, missing: &mut Vec<&'static str>) {
    let found = btf.offset_of("css_set.subsys").zip(btf.enumerator("memory_cgrp_id"));
    match found.and_then(|(base, index)| base.checked_add(index.checked_mul(8)?)) {
        Some(offset) => facts.css_set_memory = offset,
        None => missing.push("css_set.subsys"),
    }
}

/// `rss_stat` is an array of per-CPU counters since 6.2, and a struct around
/// an array of plain ones before.
fn rss_stat(btf: &Btf<'_>, facts: &mut KernelFacts, missing: &mut Vec<&'static str>) {
    let found = if btf.is_array("mm_struct.rss_stat") {
        let counter = btf.offset_of("percpu_counter.count");
        let base = btf.offset_of("mm_struct.rss_stat").zip(counter);
        base.and_then(|(base, count)| base.checked_add(count)).zip(btf.size_of("percpu_counter"))
    } else {
        btf.offset_of("mm_struct.rss_stat.count").map(|base| (base, 8))
    };
    match found {
        Some((base, stride)) => {
            facts.mm_rss_stat = base;
            facts.mm_rss_stat_stride = stride;
        }
        None => missing.push("mm_struct.rss_stat"),
    }
}

/// Where system calls and functions have their arguments, on this machine.
fn registers(btf: &Btf<'_>, facts: &mut KernelFacts, missing: &mut Vec<&'static str>) {
    let (number, arg0_of_call, args, result) = if btf.offset_of("pt_regs.orig_ax").is_some() {
        let field = |name: &str| btf.offset_of(&format!("pt_regs.{name}"));
        let args = [field("di"), field("si"), field("dx")];
        (field("orig_ax"), field("di"), args, field("ax"))
    } else {
        let base = btf.offset_of("pt_regs.regs");
        let args = [base, base.map(|base| base + 8), base.map(|base| base + 16)];
        (btf.offset_of("pt_regs.syscallno"), btf.offset_of("pt_regs.orig_x0"), args, base)
    };
    let [arg0, arg1, arg2] = args;
    let pairs = [
        (&mut facts.regs_syscall, number),
        (&mut facts.regs_syscall_arg0, arg0_of_call),
        (&mut facts.regs_arg0, arg0),
        (&mut facts.regs_arg1, arg1),
        (&mut facts.regs_arg2, arg2),
        (&mut facts.regs_return, result),
    ];
    let mut complete = true;
    for (slot, found) in pairs {
        complete &= found.is_some();
        *slot = found.unwrap_or(ABSENT);
    }
    if !complete {
        missing.push("pt_regs");
    }
}

/// Arguments whose place or meaning differs between kernels.
fn arguments(btf: &Btf<'_>, facts: &mut KernelFacts) {
    if let Some(parameters) = btf.function("vfs_unlink") {
        let dentry = parameters.iter().position(|p| p.is_pointer && p.type_name == "dentry");
        facts.vfs_unlink_dentry_arg = index(dentry);
        facts.vfs_unlink_args = index(Some(parameters.len()));
    }
    if let Some(parameters) = btf.tracepoint("mark_victim") {
        let has_task = parameters.first().is_some_and(|p| p.is_pointer);
        facts.mark_victim_has_task = u32::from(has_task);
    }
    if let Some(parameters) = btf.tracepoint("sched_process_exit")
        && parameters.len() > 1
    {
        facts.exit_group_dead_arg = 1;
    }
    if let Some(parameters) = btf.tracepoint("io_uring_complete") {
        // (ctx, user_data, res, …) up to 5.17: the request is not told.
        let second = parameters.get(1).is_some_and(|p| p.is_pointer);
        let third_is_entry = parameters.get(2).is_some_and(|p| p.type_name == "io_uring_cqe");
        if second && third_is_entry {
            facts.io_complete_req_arg = 1;
            facts.io_complete_cqe_arg = 2;
        } else if second && parameters.get(3).is_some_and(|p| !p.is_pointer) {
            facts.io_complete_req_arg = 1;
            facts.io_complete_res_arg = 3;
        }
    }
}

/// What lets programs read kernel objects by plain loads. The helper has a
/// function of its name in the kernel, where the kernel has it.
fn direct_loads(btf: &Btf<'_>, facts: &mut KernelFacts) {
    facts.prog_active = btf.offset_of("bpf_prog.active").unwrap_or(ABSENT);
    if btf.function_id("bpf_get_current_task_btf").is_some() {
        facts.has_current_task_btf = 1;
    }
    if btf.function_id("bpf_task_pt_regs").is_some() {
        facts.has_task_pt_regs = 1;
    }
    let types = btf.struct_id("files_struct").zip(btf.struct_id("task_struct"));
    let cast = btf.function_id("bpf_rdonly_cast").zip(types);
    if let Some((function, (files_struct, task_struct))) = cast
        && facts.files_fd_array != ABSENT
    {
        facts.rdonly_cast = function;
        facts.files_struct_type = files_struct;
        facts.task_struct_type = task_struct;
    }
}

fn index(found: Option<usize>) -> u32 {
    found.and_then(|found| u32::try_from(found).ok()).unwrap_or(ABSENT)
}
