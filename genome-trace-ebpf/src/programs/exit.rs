//! A process ends: kernel/exit.c, do_exit() of its last thread.

use aya_ebpf::{
    bindings::{BPF_ANY, BPF_NOEXIST},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use genome_trace_common::{
    ABSENT, EXIT_IO_UNKNOWN, EXIT_THREADS_TRUNCATED, EXIT_WRITES_SINCE_START, ExitRecord, Kind,
};

use crate::{
    config::fact,
    kernel::{Address, argument, group_leader, process_start, raw, tgid},
    maps::{ENDED, ENDED_THREADS, LIFECYCLE, THREAD_WRITES, WATCHED, add},
    record::{fill_header, reserve},
    row::{Row, in_turn_for_each},
};

/// Threads that have ended but are still on the list, at most, that are added up.
const THREADS_MAX: u32 = 64;
/// Tries to read the sums while no thread moves into them.
const TRIES: u32 = 3;
/// `SIGNAL_GROUP_EXIT`, include/linux/sched/signal.h.
pub(super) const SIGNAL_GROUP_EXIT: u32 = 4;

macro_rules! row {
    ($($program:ident $rank:literal),*) => {$(
        #[btf_tracepoint(function = "sched_process_exit")]
        fn $program(context: BtfTracePointContext) -> i32 {
            let task = Address(argument(raw(&context), 0));
            let identity = || task.0 ^ process_start(task);
            in_turn_for_each(Row::Exit, $rank, identity, || tell(raw(&context), task));
            0
        }
    )*};
}

row!(
    sched_process_exit 0,
    sched_process_exit_backup1 1
);

#[inline(always)]
fn tell(context: *const core::ffi::c_void, task: Address) {
    let signal = task.follow(fact!(task_signal));
    if !is_last(context, task, signal) {
        keep_writes(task, signal);
        return;
    }
    let tgid = tgid(task);
    if let Some(mut entry) = reserve::<ExitRecord>(&LIFECYCLE, Kind::Exit) {
        // SAFETY: every field is an integer, and each one is set here.
        let record = unsafe { &mut *entry.as_mut_ptr() };
        fill_header(&mut record.header, Kind::Exit, size_of::<ExitRecord>(), task);
        record.wait_status = wait_status(task, signal);
        record.peak_rss_pages = signal.read(fact!(signal_maxrss));
        let usage = usage(task, signal);
        record.flags = usage.flags;
        record.cpu_ns = usage.cpu_ns;
        record.write_calls = usage.write_calls;
        record.written_bytes = usage.written_bytes;
        entry.submit(0);
    }
    let _ = THREAD_WRITES.remove(process(task));
    // After the record, which says whether the process was watched.
    let _ = WATCHED.remove(tgid);
}

/// Whether no thread is left. `signal->live` was lowered before the
/// tracepoint, but two threads that end together may both find it at 0.
#[inline(always)]
fn is_last(context: *const core::ffi::c_void, task: Address, signal: Address) -> bool {
    if fact!(exit_group_dead_arg) != ABSENT {
        return argument(context, fact!(exit_group_dead_arg)) & 1 != 0;
    }
    if signal.is_null() || signal.read::<u32>(fact!(signal_live)) != 0 {
        return false;
    }
    let key = [tgid(task) as u64, process_start(task)];
    ENDED.insert(key, 1, BPF_NOEXIST as u64).is_ok()
}

/// What wait4(2) will say: the group's code where the group was ended as one,
/// else the leader's own, which may have gone first.
#[inline(always)]
fn wait_status(task: Address, signal: Address) -> u32 {
    if signal.read::<u32>(fact!(signal_flags)) & SIGNAL_GROUP_EXIT != 0 {
        signal.read(fact!(signal_group_exit_code))
    } else {
        group_leader(task).read(fact!(task_exit_code))
    }
}

struct Usage {
    cpu_ns: u64,
    write_calls: u64,
    written_bytes: u64,
    flags: u32,
}

#[inline(always)]
fn process(task: Address) -> [u64; 2] {
    [tgid(task) as u64, process_start(task)]
}

/// Keeps what a thread wrote that ends before its process.
#[inline(always)]
fn keep_writes(task: Address, signal: Address) {
    // Also where the last thread is on its way here: this one may be off the
    // list before that one reads it.
    if signal.is_null() {
        return;
    }
    let tid = task.read::<u32>(fact!(task_pid));
    if kept(tid, task) != Kept::No {
        return;
    }
    let _ = ENDED_THREADS.insert(tid, task.0 | BEING_KEPT, BPF_ANY as u64);
    let calls = task.read::<u64>(fact!(task_syscw));
    let bytes = task.read::<u64>(fact!(task_wchar));
    let key = process(task);
    // Of threads that end together only one begins the sums.
    if !add_to_sums(&key, calls, bytes)
        && THREAD_WRITES.insert(key, [calls, bytes], BPF_NOEXIST as u64).is_err()
    {
        add_to_sums(&key, calls, bytes);
    }
    let _ = ENDED_THREADS.insert(tid, task.0, BPF_ANY as u64);
}

#[inline(always)]
fn add_to_sums(key: &[u64; 2], calls: u64, bytes: u64) -> bool {
    let Some(sums) = THREAD_WRITES.get_ptr_mut(key) else { return false };
    // SAFETY: a live map value.
    let (total_calls, total_bytes) = unsafe { (&raw mut (*sums)[0], &raw mut (*sums)[1]) };
    add(total_calls, calls);
    add(total_bytes, bytes);
    true
}

/// What `keep_writes` has added up.
#[inline(always)]
fn sums(task: Address) -> [u64; 2] {
    // SAFETY: two words, copied at once; who adds to them meanwhile is noticed.
    unsafe { THREAD_WRITES.get(process(task)) }.copied().unwrap_or([0, 0])
}

/// Whether what a thread wrote is in the sums of its process.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    No,
    /// It is being added just now, by the thread itself.
    Soon,
    Yes,
}

/// Bit of an entry of `ENDED_THREADS` that is free in a task's address.
const BEING_KEPT: u64 = 1;

#[inline(always)]
fn kept(tid: u32, task: Address) -> Kept {
    // SAFETY: one aligned word, copied at once; another thread's entry does
    // not compare equal.
    match unsafe { ENDED_THREADS.get(tid) }.copied() {
        Some(entry) if entry == task.0 => Kept::Yes,
        Some(entry) if entry == task.0 | BEING_KEPT => Kept::Soon,
        _ => Kept::No,
    }
}

/// Adds up what the threads used.
///
/// Threads that are gone have been added to `signal_struct` (__exit_signal()),
/// the others are still on its list. A thread moves from one to the other
/// under `stats_lock`, so the sum is read again when that lock's sequence
/// changed meanwhile.
///
/// The writes of children that were waited for are in `signal_struct` too
/// (wait_task_zombie()). Where there were any (`cmaxrss`), it cannot be used
/// for writes: then the sums that `keep_writes` made stand in for it. A thread
/// that is just being added to them is waited for as well; where it was
/// preempted there, the account is unknown.
#[inline(always)]
fn usage(task: Address, signal: Address) -> Usage {
    let had_children = signal.read::<u64>(fact!(signal_cmaxrss)) != 0;
    let mut usage = Usage { cpu_ns: 0, write_calls: 0, written_bytes: 0, flags: 0 };
    for _ in 0..TRIES {
        let before = signal.read::<u32>(fact!(signal_stats_sequence));
        usage.flags = 0;
        usage.cpu_ns = signal.read(fact!(signal_sum_sched_runtime));
        if had_children {
            // Threads that ended before the tracer began are in no sum.
            usage.flags = if usage.cpu_ns != 0 { EXIT_WRITES_SINCE_START } else { 0 };
            [usage.write_calls, usage.written_bytes] = sums(task);
        } else {
            usage.write_calls = signal.read(fact!(signal_syscw));
            usage.written_bytes = signal.read(fact!(signal_wchar));
        }
        let sums_before = [usage.write_calls, usage.written_bytes];
        let head = signal.field(fact!(signal_thread_head));
        let mut node = head.follow(0);
        for _ in 0..THREADS_MAX {
            if node == head {
                break;
            }
            let thread = node.container(fact!(task_thread_node));
            usage.cpu_ns += thread.read::<u64>(fact!(task_sum_exec_runtime));
            let kept =
                if had_children { kept(thread.read(fact!(task_pid)), thread) } else { Kept::No };
            match kept {
                Kept::No => {
                    usage.write_calls += thread.read::<u64>(fact!(task_syscw));
                    usage.written_bytes += thread.read::<u64>(fact!(task_wchar));
                }
                Kept::Soon => usage.flags |= EXIT_IO_UNKNOWN,
                Kept::Yes => {}
            }
            node = node.follow(0);
        }
        if node != head {
            usage.flags |= EXIT_THREADS_TRUNCATED;
        }
        // A thread may have moved into the sums between the two looks.
        if had_children && sums(task) != sums_before {
            usage.flags |= EXIT_IO_UNKNOWN;
        }
        let after = signal.read::<u32>(fact!(signal_stats_sequence));
        if before == after && before & 1 == 0 && usage.flags & EXIT_IO_UNKNOWN == 0 {
            break;
        }
    }
    if fact!(task_syscw) == ABSENT || fact!(signal_syscw) == ABSENT {
        usage.flags |= EXIT_IO_UNKNOWN;
    }
    usage
}
