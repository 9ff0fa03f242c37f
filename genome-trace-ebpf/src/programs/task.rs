//! The processes that there are, with what they have and have used, and their
//! threads: the task iterator, kernel/bpf/task_iter.c.

use aya_ebpf::helpers::generated::bpf_seq_write;
use genome_trace_common::{
    ABI_VERSION, ABSENT, Kind, TASK_HAD_CHILDREN, TaskRecord, ThreadRecord, Usage,
};

use crate::{
    config::fact,
    kernel::{Address, Memory, process_start, tgid},
    maps::TASK_SCRATCH,
    record::fill_header,
    typed::{self, Typed},
    usage::{MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, both, figure, open_files, rss, threads},
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

/// A record for each process and thread, as it is now.
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task")]
fn task(context: *const Context) -> i32 {
    // SAFETY: the kernel passes one for each task, and one with a null task at
    // the end.
    let task = Address(unsafe { (*context).task });
    if task.is_null() {
        return 0;
    }
    // SAFETY: as above; the kernel sets `meta` and its `seq`.
    let meta = unsafe { (*context).meta };
    // SAFETY: as above.
    let seq = unsafe { (*meta).seq };
    // Some forty fields of a dozen objects that nobody has touched for a
    // second: loads wait for memory together, calls one after the other.
    if typed::can_cast() {
        tell(seq, Typed::cast(task, fact!(task_struct_type)));
    } else {
        tell(seq, task);
    }
    0
}

#[inline(always)]
fn tell<M: Memory>(seq: *mut core::ffi::c_void, task: M) {
    // One whose last thread has gone has been told as ended; what waits for its
    // parent has neither memory nor files.
    if task.follow(fact!(task_signal)).read::<u32>(fact!(signal_live)) == 0 {
        return;
    }
    let (tgid, tid) = (tgid(task), task.read::<u32>(fact!(task_pid)));
    if tid == tgid {
        tell_process(seq, task);
    } else {
        tell_thread(seq, task, tgid, tid);
    }
}

#[inline(always)]
fn tell_process<M: Memory>(seq: *mut core::ffi::c_void, task: M) {
    let Some(scratch) = TASK_SCRATCH.get_ptr_mut(0) else { return };
    // SAFETY: a live map value that this program alone uses, for one reader;
    // every field is an integer.
    let record = unsafe { &mut *scratch };
    // First, since the verifier follows its loop again for each way that leads
    // there.
    record.open_files = open_files(task);
    // A task that has not been freed has one.
    let signal = task.follow(fact!(task_signal));
    let mm = task.follow(fact!(task_mm));
    record.usage = Usage {
        cpu_ns: both(
            (task, fact!(task_sum_exec_runtime)),
            (signal, fact!(signal_sum_sched_runtime)),
        ),
        user_ns: both((task, fact!(task_utime)), (signal, fact!(signal_utime))),
        system_ns: both((task, fact!(task_stime)), (signal, fact!(signal_stime))),
        write_calls: both((task, fact!(task_syscw)), (signal, fact!(signal_syscw))),
        written_bytes: both((task, fact!(task_wchar)), (signal, fact!(signal_wchar))),
    };
    record.anon_rss_pages = rss(mm, MM_ANONPAGES);
    record.file_rss_pages = rss(mm, MM_FILEPAGES);
    record.shmem_rss_pages = rss(mm, MM_SHMEMPAGES);
    record.threads = threads(signal);
    record.oom_score_adj = if fact!(signal_oom_score_adj) != ABSENT {
        signal.read::<i16>(fact!(signal_oom_score_adj)) as i32
    } else {
        i32::MAX
    };
    let had_children = signal.read::<u64>(fact!(signal_cmaxrss)) != 0;
    record.flags = if had_children { TASK_HAD_CHILDREN } else { 0 };
    fill_header(&mut record.header, Kind::Task, size_of::<TaskRecord>(), task);
    write(seq, record);
}

#[inline(always)]
fn tell_thread<M: Memory>(seq: *mut core::ffi::c_void, task: M, tgid: u32, tid: u32) {
    let record = ThreadRecord {
        abi: ABI_VERSION,
        kind: Kind::Thread as u16,
        len: size_of::<ThreadRecord>() as u32,
        tgid,
        tid,
        start_time: process_start(task),
        usage: of_thread(task),
    };
    write(seq, &record);
}

/// What one thread used.
#[inline(always)]
fn of_thread<M: Memory>(task: M) -> Usage {
    Usage {
        cpu_ns: figure(task, fact!(task_sum_exec_runtime)),
        user_ns: figure(task, fact!(task_utime)),
        system_ns: figure(task, fact!(task_stime)),
        write_calls: figure(task, fact!(task_syscw)),
        written_bytes: figure(task, fact!(task_wchar)),
    }
}

#[inline(always)]
fn write<T>(seq: *mut core::ffi::c_void, record: &T) {
    // SAFETY: a whole record, all of it set. Where it does not fit, the kernel
    // calls again for the same task.
    unsafe {
        bpf_seq_write(
            seq.cast(),
            core::ptr::from_ref(record).cast_mut().cast(),
            size_of::<T>() as u32,
        )
    };
}
