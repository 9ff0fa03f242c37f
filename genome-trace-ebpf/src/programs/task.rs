//! The processes that there are: the task iterator, kernel/bpf/task_iter.c.

use aya_ebpf::helpers::generated::bpf_seq_write;
use genome_trace_common::{COMM_LEN, Kind, RecordHeader};

use crate::{
    config::fact,
    kernel::{Address, tgid},
    record::fill_header,
};

/// `struct bpf_iter__task`: pointers that the verifier knows the types of.
#[repr(C)]
struct Context {
    meta: *const Meta,
    task: u64,
}

/// The beginning of `struct bpf_iter_meta`, include/linux/bpf.h: part of the
/// interface.
#[repr(C)]
struct Meta {
    seq: *mut core::ffi::c_void,
}

/// One header for each process, as it is now.
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task")]
fn task(context: *const Context) -> i32 {
    // SAFETY: the kernel passes one for each task, and one with a null task at
    // the end.
    let task = Address(unsafe { (*context).task });
    if task.is_null() || task.read::<u32>(fact!(task_pid)) != tgid(task) {
        return 0;
    }
    // SAFETY: as above; the kernel sets `meta` and its `seq`.
    let meta = unsafe { (*context).meta };
    // SAFETY: as above.
    let seq = unsafe { (*meta).seq };
    let mut header = RecordHeader {
        abi: 0,
        kind: 0,
        len: 0,
        ktime_ns: 0,
        tgid: 0,
        tid: 0,
        start_time: 0,
        cgroup_id: 0,
        ppid: 0,
        uid: 0,
        flags: 0,
        reserved: 0,
        comm: [0; COMM_LEN],
    };
    fill_header(&mut header, Kind::Task, size_of::<RecordHeader>(), task);
    // SAFETY: a header on the stack, all of it set. Where it does not fit, the
    // kernel calls again for the same task.
    unsafe {
        bpf_seq_write(
            seq.cast(),
            (&raw const header).cast_mut().cast(),
            size_of::<RecordHeader>() as u32,
        )
    };
    0
}
