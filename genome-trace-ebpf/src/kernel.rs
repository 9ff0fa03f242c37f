//! Every read of kernel memory: a base address, an offset found in BTF, and
//! `bpf_probe_read_kernel`, which fails on a bad address instead of faulting.

use aya_ebpf::{
    helpers::{bpf_get_current_task, bpf_probe_read_kernel_buf, generated::bpf_probe_read_kernel},
    programs::BtfTracePointContext,
};
use genome_trace_common::{ABSENT, COMM_LEN, Offset};

use crate::config::{config, fact};

/// What can be read from the kernel: valid for every bit pattern.
pub(crate) trait Integer: Copy + Default {}
impl Integer for u8 {}
impl Integer for u16 {}
impl Integer for i16 {}
impl Integer for u32 {}
impl Integer for i32 {}
impl Integer for u64 {}
impl Integer for i64 {}

/// Address of a kernel object. Never dereferenced, only handed to
/// `bpf_probe_read_kernel`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) u64);

/// Kernel memory at some address, read by one way or another.
pub(crate) trait Memory: Copy {
    /// Reads a value at `offset`; 0 where this kernel does not have the field,
    /// or the address is bad.
    fn read<T: Integer>(self, offset: Offset) -> T;
    /// Follows a pointer field; null where there is none.
    fn follow(self, offset: Offset) -> Self;
    /// Where it is.
    fn address(self) -> Address;
}

impl Memory for Address {
    #[inline(always)]
    fn read<T: Integer>(self, offset: Offset) -> T {
        Self::read(self, offset)
    }

    #[inline(always)]
    fn follow(self, offset: Offset) -> Self {
        Self::follow(self, offset)
    }

    #[inline(always)]
    fn address(self) -> Address {
        self
    }
}

impl Address {
    #[inline(always)]
    pub(crate) fn is_null(self) -> bool {
        self.0 == 0
    }

    #[inline(always)]
    pub(crate) fn field(self, offset: Offset) -> Self {
        Self(self.0.wrapping_add(offset as u64))
    }

    /// The object that holds this one at `offset` (`container_of`).
    #[inline(always)]
    pub(crate) fn container(self, offset: Offset) -> Self {
        Self(self.0.wrapping_sub(offset as u64))
    }

    /// Reads a value at `offset`; 0 where this kernel does not have the field,
    /// or the address is bad: null and its neighbourhood are.
    ///
    /// No result to test, so that a chain of reads has one way through it for
    /// the verifier; whoever must tell 0 from unknown tests the address.
    #[inline(always)]
    pub(crate) fn read<T: Integer>(self, offset: Offset) -> T {
        let mut value = T::default();
        if offset != ABSENT {
            // SAFETY: `value` has room for `size_of::<T>()` bytes, and any
            // bytes are an integer; the helper checks the address, and on a
            // bad one it zeroes the value.
            unsafe {
                bpf_probe_read_kernel(
                    (&raw mut value).cast(),
                    size_of::<T>() as u32,
                    self.field(offset).0 as *const core::ffi::c_void,
                )
            };
        }
        value
    }

    /// Follows a pointer field; null where there is none.
    #[inline(always)]
    pub(crate) fn follow(self, offset: Offset) -> Self {
        Self(self.read(offset))
    }
}

/// `current`.
#[inline(always)]
pub(crate) fn current() -> Address {
    // SAFETY: the helper has no precondition.
    Address(unsafe { bpf_get_current_task() })
}

/// Argument `n` of a `tp_btf`, `fentry` or `fexit` program as a plain number.
///
/// Read through the helper, not by a load from the context: the verifier then
/// makes no assumption about it. It would take `signal_generate`'s info for a
/// valid pointer, which it is not (0 and 1 are in use: SEND_SIG_NOINFO,
/// SEND_SIG_PRIV), and drop the test.
#[inline(always)]
pub(crate) fn argument(context: *const core::ffi::c_void, n: u32) -> u64 {
    Address(context as u64).read(n * 8)
}

/// The context of a `tp_btf` program as a plain pointer.
#[inline(always)]
pub(crate) fn raw(context: &BtfTracePointContext) -> *const core::ffi::c_void {
    use aya_ebpf::EbpfContext as _;
    context.as_ptr()
}

/// `task->group_leader`.
#[inline(always)]
pub(crate) fn group_leader<M: Memory>(task: M) -> M {
    task.follow(fact!(task_group_leader))
}

/// `task->tgid`.
#[inline(always)]
pub(crate) fn tgid<M: Memory>(task: M) -> u32 {
    task.read(fact!(task_tgid))
}

/// When the process of `task` started, nanoseconds since boot.
#[inline(always)]
pub(crate) fn process_start<M: Memory>(task: M) -> u64 {
    group_leader(task).read(fact!(task_start_boottime))
}

/// kernfs id of the task's cgroup, in the hierarchy that the loader chose.
#[inline(always)]
pub(crate) fn cgroup_id<M: Memory>(task: M) -> u64 {
    let set = task.follow(fact!(task_cgroups));
    let cgroup = if config!(cgroup_v1_memory) != 0 {
        set.follow(fact!(css_set_memory)).follow(fact!(css_cgroup))
    } else {
        set.follow(fact!(css_set_dfl_cgrp))
    };
    cgroup.follow(fact!(cgroup_kn)).read(fact!(kernfs_node_id))
}

/// The process' name: its leader's `comm`, since threads name themselves
/// after what they do.
#[inline(always)]
pub(crate) fn read_comm<M: Memory>(task: M, comm: &mut [u8; COMM_LEN]) {
    let name = group_leader(task).address().field(fact!(task_comm));
    // SAFETY: the helper checks the address; on failure the buffer is zeroed.
    let _ = unsafe { bpf_probe_read_kernel_buf(name.0 as *const u8, comm) };
}
