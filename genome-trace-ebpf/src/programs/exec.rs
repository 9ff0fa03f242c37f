//! A process runs a new program: fs/exec.c, exec_binprm().

use aya_ebpf::{
    helpers::generated::bpf_probe_read_user, macros::btf_tracepoint, programs::BtfTracePointContext,
};
use genome_trace_common::{
    EXEC_ARGV_MAX, EXEC_ARGV_TRUNCATED, EXEC_ARGV_UNREADABLE, ExecRecord, Kind,
};

use crate::{
    config::fact,
    kernel::{Address, argument, raw},
    maps::{EXEC_SCRATCH, ExecScratch, LIFECYCLE, PATH_ROOM, count_lost},
    path::{Place, walk},
    record::{fill_header, opaque, output},
    row::{Row, in_turn, is_news},
};

macro_rules! row {
    ($($program:ident $rank:literal),*) => {$(
        #[btf_tracepoint(function = "sched_process_exec")]
        fn $program(context: BtfTracePointContext) -> i32 {
            in_turn(Row::Exec, $rank, || tell(&context, $rank));
            0
        }
    )*};
}

row!(
    sched_process_exec 0,
    sched_process_exec_backup1 1,
    sched_process_exec_backup2 2,
    sched_process_exec_backup3 3
);

#[inline(always)]
fn tell(context: &BtfTracePointContext, rank: u32) {
    let task = Address(argument(raw(context), 0));
    let mm = task.follow(fact!(task_mm));
    if !is_news(Row::Exec, rank, mm.0) {
        return;
    }
    let Some(scratch) = EXEC_SCRATCH.get_ptr_mut(rank) else {
        count_lost(Kind::Exec);
        return;
    };
    // SAFETY: this program's own slot on this CPU.
    let bytes: *mut u8 = unsafe { (&raw mut (*scratch).bytes).cast() };
    let place = Place::of_file(mm.follow(fact!(mm_exe_file)));
    // SAFETY: as above; every field of the record is set here.
    let record = unsafe { &mut (*scratch).record };
    record.path_flags = walk(place, bytes, 0, &raw mut record.path_len);
    // SAFETY: a field of a live map value.
    let at = unsafe { (&raw const record.path_len).read_volatile() }.min(PATH_ROOM as u32);
    // SAFETY: `at` is at most PATH_ROOM, and EXEC_ARGV_MAX more bytes follow it.
    let (argv_len, flags) = read_argv(mm, unsafe { bytes.add(at as usize) });
    let len = size_of::<ExecRecord>() + at as usize + argv_len as usize;
    fill_header(&mut record.header, Kind::Exec, len, task);
    record.argv_len = argv_len;
    record.flags = flags;
    output(&LIFECYCLE, Kind::Exec, scratch.cast::<u8>(), len, size_of::<ExecScratch>());
}

/// Copies the argument block of the new address space: it lies between
/// `arg_start` and `arg_end`, each argument ended by a NUL.
#[inline(always)]
fn read_argv(mm: Address, buffer: *mut u8) -> (u32, u32) {
    let start = mm.read::<u64>(fact!(mm_arg_start));
    let end = mm.read::<u64>(fact!(mm_arg_end));
    if start == 0 || end < start {
        return (0, EXEC_ARGV_UNREADABLE);
    }
    let mut flags = 0;
    let mut len = opaque(end - start);
    if len > EXEC_ARGV_MAX as u64 {
        len = EXEC_ARGV_MAX as u64;
        flags = EXEC_ARGV_TRUNCATED;
    }
    // SAFETY: the caller leaves EXEC_ARGV_MAX bytes behind `buffer`; the
    // helper checks the user address.
    let failed = unsafe {
        bpf_probe_read_user(buffer.cast(), len as u32, start as *const core::ffi::c_void)
    };
    if failed != 0 { (0, EXEC_ARGV_UNREADABLE) } else { (len as u32, flags) }
}
