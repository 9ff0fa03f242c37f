//! Every map, declared once. Sizes are defaults: the loader sets those of the
//! rings and of the counts.

use crate::row::{RANKS, Row};
use aya_ebpf::{
    bindings::{BPF_ANY, BPF_F_MMAPABLE},
    macros::map,
    maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf},
};
use genome_trace_common::{
    COMM_LEN, EXEC_ARGV_MAX, EXEC_ENVIRONMENT_MAX, ExecRecord, FileCount, FileKey, FileRecord,
    HotCount, Kind, LostCounts, MARK_STDERR, MARK_WATCHED, PATH_MAX, SignalRecord, StderrTail,
    TaskRecord, USER_FRAME_LEN, USER_FRAMES_MAX, WATCH_BLOCK,
};

/// Exec, fork, exit, signal, OOM, cgroups: rare, and never starved by files.
#[map]
pub(crate) static LIFECYCLE: RingBuf = RingBuf::with_byte_size(1 << 20, 0);

/// File creations, and the paths of counted files.
#[map]
pub(crate) static IO: RingBuf = RingBuf::with_byte_size(1 << 20, 0);

/// Records that were refused, per kind.
#[map]
pub(crate) static LOST: PerCpuArray<LostCounts> = PerCpuArray::with_max_entries(1, 0);

/// Which of the two maps of counts is current: 0 or 1. Userspace flips it,
/// waits until no program can still be using the other, and empties that one.
#[map]
pub(crate) static EPOCH: Array<u32> = Array::with_max_entries(1, 0);

#[map]
pub(crate) static COUNTS_0: HashMap<FileKey, FileCount> = HashMap::with_max_entries(65536, 0);

#[map]
pub(crate) static COUNTS_1: HashMap<FileKey, FileCount> = HashMap::with_max_entries(65536, 0);

/// Processes whose files are counted where not everybody's are, with the
/// reason: `WATCH_*` bits. Inherited on fork.
#[map]
pub(crate) static WATCHED: HashMap<u32, u32> = HashMap::with_max_entries(65536, 0);

/// Which processes are in `WATCHED`, a byte for each PID: looked up without a
/// call. A PID beyond it may be watched. Userspace maps it and sets the bytes
/// of those that it enters.
#[map]
pub(crate) static WATCH_MARKS: Array<[u8; WATCH_BLOCK]> =
    Array::with_max_entries(1, BPF_F_MMAPABLE);

/// What userspace has asked for of processes' standard error: tgid -> its end.
/// Entered and taken out by userspace alone.
#[map]
pub(crate) static STDERR_TAILS: HashMap<u32, StderrTail> = HashMap::with_max_entries(1, 0);

/// The counts of the busiest files, for each epoch, processor and table (see
/// hot.rs). Userspace maps it, and empties an epoch's part when it has flipped.
#[map]
pub(crate) static HOT: Array<HotCount> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// Processes whose end was told already: without `group_dead` two threads
/// that end together both see that none is left.
#[map]
pub(crate) static ENDED: LruHashMap<[u64; 2], u32> = LruHashMap::with_max_entries(4096, 0);

/// Threads that have ended: tid -> task.
#[map]
pub(crate) static ENDED_THREADS: LruHashMap<u32, u64> = LruHashMap::with_max_entries(16384, 0);

/// Write calls and written bytes of a process' threads that have ended, and
/// how many threads it had when it began to end as a whole, 0 before:
/// (tgid, start) -> (calls, bytes, threads).
#[map]
pub(crate) static THREAD_WRITES: LruHashMap<[u64; 2], [u64; 3]> =
    LruHashMap::with_max_entries(8192, 0);

/// Who sent a signal that its receiver has yet to take.
#[map]
pub(crate) static SENDERS: LruHashMap<[u32; 2], Sender> = LruHashMap::with_max_entries(4096, 0);

/// tid -> task of the last SIGKILL that the kernel itself sent: before 6.8
/// `mark_victim`, which follows at once, tells no more than the tid.
#[map]
pub(crate) static KILLED: LruHashMap<u32, u64> = LruHashMap::with_max_entries(256, 0);

/// Arguments of functions under way in kprobe mode: (tid, function) -> argument.
#[map]
pub(crate) static CALLS: HashMap<[u32; 2], u64> = HashMap::with_max_entries(16384, 0);

/// Mount of an unlink under way: tid -> (dentry, mount).
#[map]
pub(crate) static UNLINKS: LruHashMap<u32, [u64; 2]> = LruHashMap::with_max_entries(4096, 0);

/// The last event that a row told of a thread: (tid, row) -> event.
#[map]
pub(crate) static TOLD: LruHashMap<[u32; 2], Told> = LruHashMap::with_max_entries(4096, 0);

/// Whether a thread is inside a row's program on this processor, one slot a
/// program: its backups then know that the program was skipped.
#[map]
pub(crate) static INSIDE: PerCpuArray<u32> = PerCpuArray::with_max_entries(Row::COUNT * RANKS, 0);

/// Calls that the first of a row was skipped for and that a backup took on.
#[map]
pub(crate) static RESCUED: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// Room to build records of variable length, one slot a program, because a
/// fexit program can be preempted by another one on the same CPU.
#[map]
pub(crate) static EXEC_SCRATCH: PerCpuArray<ExecScratch> =
    PerCpuArray::with_max_entries(CGROUP_SLOT + 1, 0);

#[map]
pub(crate) static FILE_SCRATCH: PerCpuArray<FileScratch> =
    PerCpuArray::with_max_entries(FILE_SLOTS, 0);

/// Room for `signal_deliver`'s record, alone in it.
#[map]
pub(crate) static SIGNAL_SCRATCH: PerCpuArray<SignalScratch> = PerCpuArray::with_max_entries(1, 0);

/// Room to build the task iterator's record in: on the stack the verifier would
/// tell apart what lies in it, and follow each way through the rest again.
#[map]
pub(crate) static TASK_SCRATCH: PerCpuArray<TaskRecord> = PerCpuArray::with_max_entries(1, 0);

/// What makes an event unlike the thread's next one, and which programs of the
/// row have come by it: bit = rank.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Told {
    pub(crate) identity: u64,
    pub(crate) seen_by: u64,
}

#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Sender {
    pub(crate) tgid: u32,
    pub(crate) comm: [u8; COMM_LEN],
}

/// The slot of `EXEC_SCRATCH` behind those of the exec row: `cgroup_mkdir`'s.
pub(crate) const CGROUP_SLOT: u32 = RANKS;

/// The first of the slots that rows use: 0 is `sys_exit`'s, 1 io_uring's. The
/// kprobe mode's programs share those of the rows, which it has none of.
pub(crate) const FIRST_ROW_SLOT: u32 = 2;

/// Programs in the row of a function that writes.
pub(crate) const WRITE_RANKS: u32 = 2;

/// One for each program that may be interrupted by another while it builds a
/// record.
const FILE_SLOTS: u32 = FIRST_ROW_SLOT + 2 * RANKS + 5 * WRITE_RANKS;

/// One component may be read past `PATH_MAX` before the length is looked at.
pub(crate) const PATH_ROOM: usize = PATH_MAX + 256;

#[repr(C)]
pub(crate) struct ExecScratch {
    pub(crate) record: ExecRecord,
    pub(crate) bytes: [u8; PATH_ROOM + EXEC_ARGV_MAX + EXEC_ENVIRONMENT_MAX],
}

#[repr(C)]
pub(crate) struct FileScratch {
    pub(crate) record: FileRecord,
    pub(crate) bytes: [u8; PATH_ROOM + PATH_MAX],
}

#[repr(C)]
pub(crate) struct SignalScratch {
    pub(crate) record: SignalRecord,
    pub(crate) frames: [u8; USER_FRAMES_MAX * USER_FRAME_LEN],
}

/// The mark of a process; `None` for a PID beyond the table.
#[inline(always)]
fn mark(tgid: u32) -> Option<*mut u8> {
    let block = WATCH_MARKS.get_ptr_mut(tgid / WATCH_BLOCK as u32)?;
    // SAFETY: the index is below the block's length.
    Some(unsafe { block.cast::<u8>().add(tgid as usize % WATCH_BLOCK) })
}

/// Whether a process may be in `WATCHED`.
#[inline(always)]
pub(crate) fn is_marked(tgid: u32) -> bool {
    match mark(tgid) {
        // SAFETY: a live map value; volatile because others change it.
        Some(mark) => unsafe { mark.read_volatile() & MARK_WATCHED != 0 },
        None => true,
    }
}

/// Whether the end of a process' standard error is kept.
#[inline(always)]
pub(crate) fn keeps_stderr(tgid: u32) -> bool {
    match mark(tgid) {
        // SAFETY: a live map value; volatile because others change it.
        Some(mark) => unsafe { mark.read_volatile() & MARK_STDERR != 0 },
        None => false,
    }
}

/// Enters a process in `WATCHED`, the mark first.
#[inline(always)]
pub(crate) fn enter_watched(tgid: u32, value: u32) {
    if let Some(mark) = mark(tgid) {
        // SAFETY: a live map value.
        unsafe { mark.write_volatile(mark.read_volatile() | MARK_WATCHED) };
    }
    let _ = WATCHED.insert(tgid, value, BPF_ANY as u64);
}

/// Takes a process out that has ended; its PID is not used again before.
#[inline(always)]
pub(crate) fn leave_watched(tgid: u32) {
    if is_marked(tgid) {
        let _ = WATCHED.remove(tgid);
    }
    if let Some(mark) = mark(tgid) {
        // SAFETY: a live map value.
        unsafe { mark.write_volatile(0) };
    }
}

/// Counts records of `kind` that could not be handed over.
#[inline(always)]
pub(crate) fn count_lost(kind: Kind) {
    if let Some(lost) = LOST.get_ptr_mut(0) {
        // SAFETY: `get_ptr_mut` returned this CPU's value and `kind` is below
        // `Kind::COUNT`.
        let slot = unsafe { lost.cast::<u64>().add(kind as usize) };
        add(slot, 1);
    }
}

/// Adds to a counter that another program, or another CPU, may be adding to.
#[inline(always)]
pub(crate) fn add(counter: *mut u64, n: u64) {
    // The target has no compare-and-swap, so `AtomicU64` has no `fetch_add`;
    // BPF's atomic add is older than that and needs no more than 5.8.
    #[cfg(target_arch = "bpf")]
    // SAFETY: callers pass the address of an aligned u64 in a map value, which
    // every program changes by this function alone.
    unsafe {
        core::arch::asm!(
            "lock *(u64 *)({counter} + 0) += {n}",
            counter = in(reg) counter,
            n = in(reg) n,
            options(nostack),
        );
    }
    #[cfg(not(target_arch = "bpf"))]
    let _ = (counter, n);
}
