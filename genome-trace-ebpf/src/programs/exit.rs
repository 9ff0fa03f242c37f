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
    row::{Row, in_turn, is_news},
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
            in_turn(Row::Exit, $rank, || tell(&context, $rank));
            0
        }
    )*};
}

row!(
    sched_process_exit 0,
    sched_process_exit_backup1 1,
    sched_process_exit_backup2 2,
    sched_process_exit_backup3 3
);

#[inline(always)]
fn tell(context: &BtfTracePointContext, rank: u32) {
    let task = Address(argument(raw(context), 0));
    let signal = task.follow(fact!(task_signal));
    if !is_last(raw(context), task, signal, rank) {
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
fn is_last(context: *const core::ffi::c_void, task: Address, signal: Address, rank: u32) -> bool {
    if fact!(exit_group_dead_arg) != ABSENT {
        return argument(context, fact!(exit_group_dead_arg)) & 1 != 0
            && is_news(Row::Exit, rank, process_start(task));
    }
    // This keeps the row's other programs from telling it as well.
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
    // The group's last two threads may both be on their way here; then the
    // process was told already.
    if signal.is_null() || signal.read::<u32>(fact!(signal_live)) == 0 {
        return;
    }
    let tid = task.read::<u32>(fact!(task_pid));
    if has_ended(tid, task) {
        return;
    }
    let _ = ENDED_THREADS.insert(tid, task.0, BPF_ANY as u64);
    let calls = task.read::<u64>(fact!(task_syscw));
    let bytes = task.read::<u64>(fact!(task_wchar));
    match THREAD_WRITES.get_ptr_mut(process(task)) {
        Some(sums) => {
            // SAFETY: a live map value.
            let (total_calls, total_bytes) = unsafe { (&raw mut (*sums)[0], &raw mut (*sums)[1]) };
            add(total_calls, calls);
            add(total_bytes, bytes);
        }
        None => {
            let _ = THREAD_WRITES.insert(process(task), [calls, bytes], BPF_ANY as u64);
        }
    }
}

#[inline(always)]
fn has_ended(tid: u32, task: Address) -> bool {
    // SAFETY: compared at once; another thread's entry does not compare equal.
    unsafe { ENDED_THREADS.get(tid) }.copied() == Some(task.0)
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
/// for writes: then the sums that `keep_writes` made stand in for it.
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
            // SAFETY: copied at once; the process' other threads have ended.
            let [calls, bytes] =
                unsafe { THREAD_WRITES.get(process(task)) }.copied().unwrap_or([0, 0]);
            usage.write_calls = calls;
            usage.written_bytes = bytes;
        } else {
            usage.write_calls = signal.read(fact!(signal_syscw));
            usage.written_bytes = signal.read(fact!(signal_wchar));
        }
        let head = signal.field(fact!(signal_thread_head));
        let mut node = head.follow(0);
        for _ in 0..THREADS_MAX {
            if node == head {
                break;
            }
            let thread = node.container(fact!(task_thread_node));
            usage.cpu_ns += thread.read::<u64>(fact!(task_sum_exec_runtime));
            if !had_children || !has_ended(thread.read(fact!(task_pid)), thread) {
                usage.write_calls += thread.read::<u64>(fact!(task_syscw));
                usage.written_bytes += thread.read::<u64>(fact!(task_wchar));
            }
            node = node.follow(0);
        }
        if node != head {
            usage.flags |= EXIT_THREADS_TRUNCATED;
        }
        let after = signal.read::<u32>(fact!(signal_stats_sequence));
        if before == after && before & 1 == 0 {
            break;
        }
    }
    if fact!(task_syscw) == ABSENT || fact!(signal_syscw) == ABSENT {
        usage.flags |= EXIT_IO_UNKNOWN;
    }
    usage
}
