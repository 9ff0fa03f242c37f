//! The header of a record, and handing records over.

use aya_ebpf::{
    helpers::bpf_ktime_get_boot_ns,
    maps::{RingBuf, ring_buf::RingBufEntry},
};
use genome_trace_common::{ABI_VERSION, Kind, RecordHeader, UNKNOWN_U32};

use crate::{
    config::fact,
    kernel::{Memory, cgroup_id, group_leader, read_comm},
    maps::{WATCHED, count_lost, is_marked},
};

/// Fills a header that speaks of `task`.
#[inline(always)]
pub(crate) fn fill_header<M: Memory>(header: &mut RecordHeader, kind: Kind, len: usize, task: M) {
    let leader = group_leader(task);
    header.abi = ABI_VERSION;
    header.kind = kind as u16;
    header.len = len as u32;
    // SAFETY: the helper has no precondition.
    header.ktime_ns = unsafe { bpf_ktime_get_boot_ns() };
    header.tgid = task.read(fact!(task_tgid));
    header.tid = task.read(fact!(task_pid));
    header.start_time = leader.read(fact!(task_start_boottime));
    header.cgroup_id = cgroup_id(task);
    let parent = task.follow(fact!(task_real_parent));
    header.ppid =
        if parent.address().is_null() { UNKNOWN_U32 } else { parent.read(fact!(task_tgid)) };
    let cred = task.follow(fact!(task_real_cred));
    header.uid = if cred.address().is_null() { UNKNOWN_U32 } else { cred.read(fact!(cred_uid)) };
    header.flags = watch(header.tgid);
    header.reserved = 0;
    read_comm(task, &mut header.comm);
}

/// Why a process' files are counted where not everybody's are: `WATCH_*` bits,
/// 0 for no reason.
#[inline(always)]
pub(crate) fn watch(tgid: u32) -> u32 {
    if !is_marked(tgid) {
        return 0;
    }
    // SAFETY: one aligned word, copied at once.
    unsafe { WATCHED.get(tgid) }.copied().unwrap_or(0)
}

/// Room for a record in the lifecycle ring; counts it as lost where the ring
/// is full.
#[inline(always)]
pub(crate) fn reserve<T: 'static>(ring: &RingBuf, kind: Kind) -> Option<RingBufEntry<T>> {
    let entry = ring.reserve::<T>(0);
    if entry.is_none() {
        count_lost(kind);
    }
    entry
}

/// Copies the first `len` bytes of a scratch buffer of `size` bytes into `ring`.
#[inline(always)]
pub(crate) fn output(
    ring: &RingBuf,
    kind: Kind,
    scratch: *const u8,
    len: usize,
    size: usize,
) -> bool {
    // Forgotten by the compiler, so that it keeps the test below, which is what
    // tells the verifier of kernels before 6.8 that `len` is in bounds.
    let len = opaque(len as u64) as usize;
    if len > size {
        count_lost(kind);
        return false;
    }
    // SAFETY: `scratch` is the start of a map value of at least `size` bytes,
    // and `len` was just checked against it.
    let refused = unsafe {
        aya_ebpf::helpers::generated::bpf_ringbuf_output(
            (&raw const *ring).cast_mut().cast(),
            scratch.cast_mut().cast(),
            len as u64,
            0,
        )
    };
    if refused != 0 {
        count_lost(kind);
    }
    refused == 0
}

/// The same number, of which the compiler knows nothing any more.
#[inline(always)]
pub(crate) fn opaque(number: u64) -> u64 {
    #[cfg(target_arch = "bpf")]
    {
        let mut number = number;
        // SAFETY: moves a register to itself.
        unsafe { core::arch::asm!("{0} = {0}", inout(reg) number, options(nomem, nostack)) };
        number
    }
    #[cfg(not(target_arch = "bpf"))]
    number
}
