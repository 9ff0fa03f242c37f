//! A process ends: kernel/exit.c, do_exit() of its last thread.

use core::ops::ControlFlow;

use aya_ebpf::{
    bindings::{BPF_ANY, BPF_NOEXIST},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use genome_trace_common::{
    ABSENT, EXIT_IO_UNKNOWN, EXIT_THREADS_TRUNCATED, EXIT_WRITES_SINCE_START, ExitRecord, Kind,
    UNKNOWN_U32,
};

use crate::{
    config::fact,
    kernel::{Address, argument, group_leader, process_start, raw, tgid},
    maps::{ENDED, ENDED_THREADS, LIFECYCLE, THREAD_WRITES, add, leave_watched},
    record::{fill_header, reserve},
    row::{Row, in_turn_for_each},
    turns::{self, Turns},
    usage::{open_files, threads},
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
            // A thread ends once, and its id is not used again before it has.
            let identity = || process_start(task) ^ u64::from(task.read::<u32>(fact!(task_pid)));
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
        record.threads = threads_at_end(task, signal);
        record.open_files = open_files(task);
        add_up(Sums(record), task, signal);
        entry.submit(0);
    }
    let _ = THREAD_WRITES.remove(process(task));
    // After the record, which says whether the process was watched.
    leave_watched(tgid);
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
    // Before the map is looked at: no thread leaves the list before it has
    // been here, so whoever finds none noted has the number of all.
    let threads = ending_threads(signal);
    let key = process(task);
    // Of threads that end together only one begins the sums.
    if !add_to_sums(&key, calls, bytes, threads)
        && THREAD_WRITES.insert(key, [calls, bytes, threads], BPF_NOEXIST as u64).is_err()
    {
        add_to_sums(&key, calls, bytes, threads);
    }
    let _ = ENDED_THREADS.insert(tid, task.0, BPF_ANY as u64);
}

#[inline(always)]
fn add_to_sums(key: &[u64; 2], calls: u64, bytes: u64, threads: u64) -> bool {
    let Some(sums) = THREAD_WRITES.get_ptr_mut(key) else { return false };
    // SAFETY: a live map value.
    let (total_calls, total_bytes) = unsafe { (&raw mut (*sums)[0], &raw mut (*sums)[1]) };
    add(total_calls, calls);
    add(total_bytes, bytes);
    // SAFETY: as above.
    let noted = unsafe { &raw mut (*sums)[2] };
    // SAFETY: a word of a live map value; volatile because others change it.
    if threads != 0 && unsafe { noted.read_volatile() } == 0 {
        // SAFETY: as above.
        unsafe { noted.write_volatile(threads) };
    }
    true
}

/// What `keep_writes` has kept.
#[inline(always)]
fn kept_of(task: Address) -> [u64; 3] {
    // SAFETY: three words, copied at once; who adds to them meanwhile is
    // noticed.
    unsafe { THREAD_WRITES.get(process(task)) }.copied().unwrap_or([0; 3])
}

/// What `keep_writes` has added up.
#[inline(always)]
fn sums(task: Address) -> [u64; 2] {
    let [calls, bytes, _] = kept_of(task);
    [calls, bytes]
}

/// Threads of a process that is ending as a whole, 0 for another.
#[inline(always)]
fn ending_threads(signal: Address) -> u64 {
    let is_ending = signal.read::<u32>(fact!(signal_flags)) & SIGNAL_GROUP_EXIT != 0;
    match threads(signal) {
        known if is_ending && known != UNKNOWN_U32 => known as u64,
        _ => 0,
    }
}

/// Threads that a process had when it began to end as a whole; where it did
/// not, or had no other, those that are left.
#[inline(always)]
fn threads_at_end(task: Address, signal: Address) -> u32 {
    let [.., noted] = kept_of(task);
    if noted != 0 { noted as u32 } else { threads(signal) }
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
///
/// The sums are in the record all the while, not in variables: what comes from
/// memory is any number to the verifier, so that all ways through one turn of
/// the loop look alike to it, and it follows only one.
#[inline(always)]
fn add_up(record: Sums, task: Address, signal: Address) {
    let had_children = signal.read::<u64>(fact!(signal_cmaxrss)) != 0;
    for _ in 0..TRIES {
        let before = signal.read::<u32>(fact!(signal_stats_sequence));
        let cpu_ns = signal.read::<u64>(fact!(signal_sum_sched_runtime));
        record.set_flags(0);
        record.set_cpu_ns(cpu_ns);
        let begun = if had_children {
            if cpu_ns != 0 {
                // Threads that ended before the tracer began are in no sum.
                record.flag(EXIT_WRITES_SINCE_START);
            }
            sums(task)
        } else {
            [signal.read(fact!(signal_syscw)), signal.read(fact!(signal_wchar))]
        };
        record.set_writes(begun);
        let head = signal.field(fact!(signal_thread_head));
        let mut threads = Threads { sums: record, node: head.follow(0), head, had_children };
        turns::take(THREADS_MAX, &mut threads);
        if threads.node != head {
            record.flag(EXIT_THREADS_TRUNCATED);
        }
        // A thread may have moved into the sums between the two looks.
        if had_children && sums(task) != begun {
            record.flag(EXIT_IO_UNKNOWN);
        }
        let after = signal.read::<u32>(fact!(signal_stats_sequence));
        if before == after && before & 1 == 0 && record.flags() & EXIT_IO_UNKNOWN == 0 {
            break;
        }
    }
    if fact!(task_syscw) == ABSENT || fact!(signal_syscw) == ABSENT {
        record.flag(EXIT_IO_UNKNOWN);
    }
}

/// On the way through the threads that are on the list still.
struct Threads {
    sums: Sums,
    node: Address,
    head: Address,
    /// Some of them are in the sums that `keep_writes` made.
    had_children: bool,
}

impl Turns for Threads {
    #[inline(always)]
    fn turn(&mut self, _number: u32) -> ControlFlow<()> {
        if self.node == self.head {
            return ControlFlow::Break(());
        }
        let thread = self.node.container(fact!(task_thread_node));
        self.sums.add_cpu_ns(thread.read(fact!(task_sum_exec_runtime)));
        let kept =
            if self.had_children { kept(thread.read(fact!(task_pid)), thread) } else { Kept::No };
        match kept {
            Kept::No => {
                self.sums.add_writes(thread.read(fact!(task_syscw)), thread.read(fact!(task_wchar)))
            }
            Kept::Soon => self.sums.flag(EXIT_IO_UNKNOWN),
            Kept::Yes => {}
        }
        self.node = self.node.follow(0);
        ControlFlow::Continue(())
    }
}

/// The fields of a record that threads are added up in. Every access is
/// volatile, so that the compiler keeps them there.
#[derive(Clone, Copy)]
struct Sums(*mut ExitRecord);

impl Sums {
    #[inline(always)]
    fn flags(self) -> u32 {
        // SAFETY: made from a record that outlives it.
        unsafe { (&raw const (*self.0).flags).read_volatile() }
    }

    #[inline(always)]
    fn set_flags(self, flags: u32) {
        // SAFETY: as above.
        unsafe { (&raw mut (*self.0).flags).write_volatile(flags) };
    }

    #[inline(always)]
    fn flag(self, flag: u32) {
        self.set_flags(self.flags() | flag);
    }

    #[inline(always)]
    fn set_cpu_ns(self, cpu_ns: u64) {
        // SAFETY: as above.
        unsafe { (&raw mut (*self.0).cpu_ns).write_volatile(cpu_ns) };
    }

    #[inline(always)]
    fn add_cpu_ns(self, cpu_ns: u64) {
        // SAFETY: as above.
        let sum = unsafe { (&raw const (*self.0).cpu_ns).read_volatile() };
        self.set_cpu_ns(sum + cpu_ns);
    }

    #[inline(always)]
    fn set_writes(self, [calls, bytes]: [u64; 2]) {
        // SAFETY: as above.
        unsafe { (&raw mut (*self.0).write_calls).write_volatile(calls) };
        // SAFETY: as above.
        unsafe { (&raw mut (*self.0).written_bytes).write_volatile(bytes) };
    }

    #[inline(always)]
    fn add_writes(self, calls: u64, bytes: u64) {
        // SAFETY: as above.
        let calls_before = unsafe { (&raw const (*self.0).write_calls).read_volatile() };
        // SAFETY: as above.
        let bytes_before = unsafe { (&raw const (*self.0).written_bytes).read_volatile() };
        self.set_writes([calls_before + calls, bytes_before + bytes]);
    }
}
