//! A process runs a new program: fs/exec.c, exec_binprm().

use aya_ebpf::{
    helpers::{bpf_ktime_get_boot_ns, generated::bpf_probe_read_user},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use genome_trace_common::{
    EXEC_ARGV_MAX, EXEC_ARGV_TRUNCATED, EXEC_ARGV_UNREADABLE, EXEC_ENVIRONMENT_MAX,
    EXEC_ENVIRONMENT_TRUNCATED, EXEC_ENVIRONMENT_UNREADABLE, ExecRecord, Kind, WATCH_CANDIDATE,
    WATCH_MARK,
};

use crate::{
    config::{config, fact},
    kernel::{Address, argument, raw, tgid},
    maps::{EXEC_SCRATCH, ExecScratch, LIFECYCLE, PATH_ROOM, count_lost, enter_watched},
    path::{Place, walk},
    record::{fill_header, opaque, output, watch},
    row::{Row, in_turn_for_each},
};

macro_rules! row {
    ($($program:ident $rank:literal),*) => {$(
        #[btf_tracepoint(function = "sched_process_exec")]
        fn $program(context: BtfTracePointContext) -> i32 {
            let task = Address(argument(raw(&context), 0));
            let mm = task.follow(fact!(task_mm));
            in_turn_for_each(Row::Exec, $rank, || mm.0, || tell(task, mm, $rank));
            0
        }
    )*};
}

row!(
    sched_process_exec 0,
    sched_process_exec_backup1 1
);

#[inline(always)]
fn tell(task: Address, mm: Address, rank: u32) {
    let Some(scratch) = EXEC_SCRATCH.get_ptr_mut(rank) else {
        count_lost(Kind::Exec);
        return;
    };
    // SAFETY: this program's own slot on this CPU.
    let bytes: *mut u8 = unsafe { (&raw mut (*scratch).bytes).cast() };
    // Before the record, which says so, and before the program's first write.
    if config!(wants_candidates) != 0 {
        let tgid = tgid(task);
        // SAFETY: the helper has no precondition.
        let mark = unsafe { bpf_ktime_get_boot_ns() as u32 } & WATCH_MARK;
        let why = watch(tgid) & !WATCH_MARK | WATCH_CANDIDATE;
        enter_watched(tgid, why | mark);
    }
    let place = Place::of_file(mm.follow(fact!(mm_exe_file)));
    // SAFETY: as above; every field of the record is set here.
    let record = unsafe { &mut (*scratch).record };
    record.path_flags = walk(place, bytes, 0, &raw mut record.path_len);
    record.flags = 0;
    record.reserved = 0;
    // SAFETY: a field of a live map value.
    let at = unsafe { (&raw const record.path_len).read_volatile() }.min(PATH_ROOM as u32);
    // SAFETY: `at` is at most PATH_ROOM, and EXEC_ARGV_MAX more bytes follow it.
    let buffer = unsafe { bytes.add(at as usize) };
    let argv = Block {
        start: mm.read(fact!(mm_arg_start)),
        end: mm.read(fact!(mm_arg_end)),
        most: EXEC_ARGV_MAX as u64,
        truncated: EXEC_ARGV_TRUNCATED,
        unreadable: EXEC_ARGV_UNREADABLE,
    };
    argv.read(buffer, &raw mut record.argv_len, &raw mut record.flags);
    // SAFETY: a field of a live map value.
    let argv_len =
        unsafe { (&raw const record.argv_len).read_volatile() }.min(EXEC_ARGV_MAX as u32);
    let at = (at + argv_len).min((PATH_ROOM + EXEC_ARGV_MAX) as u32);
    // SAFETY: EXEC_ENVIRONMENT_MAX more bytes follow that.
    let buffer = unsafe { bytes.add(at as usize) };
    let environment = Block {
        start: mm.read(fact!(mm_env_start)),
        end: mm.read(fact!(mm_env_end)),
        most: EXEC_ENVIRONMENT_MAX as u64,
        truncated: EXEC_ENVIRONMENT_TRUNCATED,
        unreadable: EXEC_ENVIRONMENT_UNREADABLE,
    };
    environment.read(buffer, &raw mut record.environment_len, &raw mut record.flags);
    // SAFETY: a field of a live map value.
    let environment_len = unsafe { (&raw const record.environment_len).read_volatile() }
        .min(EXEC_ENVIRONMENT_MAX as u32);
    let len = size_of::<ExecRecord>() + at as usize + environment_len as usize;
    fill_header(&mut record.header, Kind::Exec, len, task);
    output(&LIFECYCLE, Kind::Exec, scratch.cast::<u8>(), len, size_of::<ExecScratch>());
}

/// A block of NUL-ended strings in the new address space.
struct Block {
    start: u64,
    end: u64,
    most: u64,
    truncated: u32,
    unreadable: u32,
}

impl Block {
    /// Copies what there is of it; adds to `flags` what there is not.
    #[inline(always)]
    fn read(self, buffer: *mut u8, len: *mut u32, flags: *mut u32) {
        let mut told = 0;
        let mut copied = 0;
        if self.start == 0 || self.end < self.start {
            told = self.unreadable;
        } else {
            // Forgotten by the compiler, so that the test right before the
            // copy stays; the verifier of kernels before 6.8 needs it there.
            copied = opaque(self.end - self.start);
            if copied > self.most {
                copied = self.most;
                told = self.truncated;
            }
            // SAFETY: the caller leaves `most` bytes behind `buffer`; the
            // helper checks the user address.
            let failed = unsafe {
                let from = self.start as *const core::ffi::c_void;
                bpf_probe_read_user(buffer.cast(), copied as u32, from)
            };
            if failed != 0 {
                copied = 0;
                told = self.unreadable;
            }
        }
        // SAFETY: callers pass a field of a live map value.
        unsafe { len.write_volatile(copied as u32) };
        // SAFETY: as above; nobody else writes this program's slot.
        unsafe { flags.write_volatile(flags.read_volatile() | told) };
    }
}
