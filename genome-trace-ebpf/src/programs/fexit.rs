//! fexit mode: the functions that carry out writes, opens and unlinks, on
//! their return, through BPF trampolines.
//!
//! The set does not nest: `vfs_write` for write and pwrite, `vfs_writev` for
//! the vectored calls, `do_sendfile`, `do_splice` and `vfs_copy_file_range`
//! for the rest. None of them calls another one for the same bytes (a stacked
//! file system's copy_file_range does, and only the one below is counted).

use aya_ebpf::{
    EbpfContext as _,
    bindings::BPF_ANY,
    helpers::bpf_get_current_pid_tgid,
    macros::{fentry, fexit},
    programs::{FEntryContext, FExitContext},
};
use genome_trace_common::ABSENT;

use super::syscall::file_of;
use crate::{
    caller::Caller,
    config::fact,
    count::{Turn, count_unlink_dentry, count_write, is_stacked, report_create},
    hot::Table,
    kernel::{Address, argument},
    maps::{FIRST_ROW_SLOT, UNLINKS, WRITE_RANKS},
    path::Place,
    row::{RANKS, Row, count_rescued, in_turn},
    stderr::{STDERR, is_kept, keep},
    typed::{Typed, value},
};

/// Errors that a kernel pointer may carry: the last page (include/linux/err.h).
const MAX_ERRNO: u64 = 4095;

/// Counts a write: argument `FILE` is the file, argument `RESULT` what came back.
#[inline(always)]
fn count<const FILE: usize, const RESULT: usize>(context: &FExitContext, table: Table, slot: u32) {
    // SAFETY: callers name arguments that the function has.
    let (file, bytes) = unsafe {
        (Typed::argument::<FILE>(context.as_ptr()), value::<RESULT>(context.as_ptr()) as i64)
    };
    let caller = Caller::current();
    if bytes >= 0 && caller.is_counted() {
        count_write(caller, file, bytes as u64, table, slot);
    }
}

/// `vfs_write`: what goes to standard error may be kept.
#[inline(always)]
fn count_and_keep(context: &FExitContext, table: Table, slot: u32) {
    count::<0, 4>(context, table, slot);
    let caller = Caller::current();
    let bytes = argument(context.as_ptr(), 4) as i64;
    if bytes > 0 && is_kept(caller) && argument(context.as_ptr(), 0) == file_of(STDERR).0 {
        keep(caller, argument(context.as_ptr(), 1), bytes as u64);
    }
}

/// Slot of a program's room to build records in.
pub(super) const fn scratch_slot(row: Row, rank: u32) -> u32 {
    FIRST_ROW_SLOT
        + match row {
            Row::Open => rank,
            Row::Unlink => RANKS + rank,
            row => 2 * RANKS + (row as u32 - Row::Write as u32) * WRITE_RANKS + rank,
        }
}

/// A row on a function that writes: short programs, so one backup is enough.
macro_rules! counted_function {
    ($function:literal, $row:expr, [$table:expr, $backup_table:expr], $first:ident, $backup:ident, $count:expr) => {
        #[fexit(function = $function)]
        fn $first(context: FExitContext) -> i32 {
            in_turn($row, 0, || $count(&context, $table, const { scratch_slot($row, 0) }));
            0
        }

        #[fexit(function = $function)]
        fn $backup(context: FExitContext) -> i32 {
            in_turn($row, 1, || $count(&context, $backup_table, const { scratch_slot($row, 1) }));
            0
        }
    };
}

counted_function!(
    "vfs_write",
    Row::Write,
    [Table::FIRST, Table::SECOND],
    vfs_write_exit,
    vfs_write_exit_backup1,
    count_and_keep
);
counted_function!(
    "vfs_writev",
    Row::Writev,
    [Table::THIRD, Table::FOURTH],
    vfs_writev_exit,
    vfs_writev_exit_backup1,
    count::<0, 5>
);
counted_function!(
    "do_sendfile",
    Row::Sendfile,
    [Table::NONE, Table::NONE],
    do_sendfile_exit,
    do_sendfile_exit_backup1,
    count_sendfile
);
counted_function!(
    "do_splice",
    Row::Splice,
    [Table::NONE, Table::NONE],
    do_splice_exit,
    do_splice_exit_backup1,
    count::<2, 6>
);
counted_function!(
    "vfs_copy_file_range",
    Row::CopyFileRange,
    [Table::NONE, Table::NONE],
    vfs_copy_file_range_exit,
    vfs_copy_file_range_exit_backup1,
    count_copy
);

#[inline(always)]
fn count_sendfile(context: &FExitContext, table: Table, slot: u32) {
    let caller = Caller::current();
    let bytes = argument(context.as_ptr(), 5) as i64;
    if bytes >= 0 && caller.is_counted() {
        let file = file_of(argument(context.as_ptr(), 0) as u32);
        count_write(caller, file, bytes as u64, table, slot);
    }
}

#[inline(always)]
fn count_copy(context: &FExitContext, table: Table, slot: u32) {
    if !is_stacked(Address(argument(context.as_ptr(), 2))) {
        count::<2, 6>(context, table, slot);
    }
}

macro_rules! open_row {
    ($($program:ident $rank:literal),*) => {$(
        /// `do_filp_open`, or `do_file_open` as it is called since 7.1: both
        /// take three arguments and return the file.
        #[fexit(function = "do_filp_open")]
        fn $program(context: FExitContext) -> i32 {
            in_turn(Row::Open, $rank, || {
                let file = argument(context.as_ptr(), 3);
                created(file, const { scratch_slot(Row::Open, $rank) }, $rank);
            });
            0
        }
    )*};
}

open_row!(
    do_filp_open_exit 0,
    do_filp_open_exit_backup1 1
);

/// Reports the file of an open that returned `file`, which may be an error.
#[inline(always)]
pub(super) fn created(file: u64, slot: u32, rank: u32) {
    if file != 0 && file < u64::MAX - MAX_ERRNO {
        let turn = Turn { rank, file };
        report_create(Caller::current(), Address(file), slot, Some(turn));
    }
}

macro_rules! unlink_entry_row {
    ($($program:ident $rank:literal),*) => {$(
        /// Tells the mount of an unlink: `vfs_unlink` is not told it.
        #[fentry(function = "security_path_unlink")]
        fn $program(context: FEntryContext) -> i32 {
            let folder = Address(argument(context.as_ptr(), 0));
            let dentry = argument(context.as_ptr(), 1);
            if $rank == 0 || mount_of(dentry).is_none() {
                remember_mount(folder, dentry);
                if $rank != 0 {
                    count_rescued();
                }
            }
            0
        }
    )*};
}

unlink_entry_row!(security_path_unlink_entry 0, security_path_unlink_entry_backup1 1);

macro_rules! unlink_row {
    ($($program:ident $rank:literal),*) => {$(
        #[fexit(function = "vfs_unlink")]
        fn $program(context: FExitContext) -> i32 {
            let slot = const { scratch_slot(Row::Unlink, $rank) };
            if unlink_returned(&context, slot) && $rank != 0 {
                count_rescued();
            }
            0
        }
    )*};
}

unlink_row!(
    vfs_unlink_exit 0,
    vfs_unlink_exit_backup1 1
);

#[inline(always)]
fn unlink_returned(context: &FExitContext, slot: u32) -> bool {
    if fact!(vfs_unlink_dentry_arg) == ABSENT {
        return false;
    }
    let dentry = argument(context.as_ptr(), fact!(vfs_unlink_dentry_arg));
    let result = argument(context.as_ptr(), fact!(vfs_unlink_args)) as i32;
    unlinked(dentry, result, slot)
}

/// Keeps the mount of the folder of `dentry` for this thread.
#[inline(always)]
pub(super) fn remember_mount(folder: Address, dentry: u64) {
    let tid = bpf_get_current_pid_tgid() as u32;
    let _ = UNLINKS.insert(tid, [dentry, Place::of_path(folder).mount.0], BPF_ANY as u64);
}

/// Counts an unlink that succeeded. A stacked file system unlinks in the file
/// system below by a nested `vfs_unlink`, on a dentry that no system call
/// named: that one is not counted. Says whether it was named, and not taken by
/// another program of the row.
#[inline(always)]
pub(super) fn unlinked(dentry: u64, result: i32, slot: u32) -> bool {
    let Some(mount) = mount_of(dentry) else { return false };
    // Taken, so that no other program of the row counts this unlink too.
    let _ = UNLINKS.remove(bpf_get_current_pid_tgid() as u32);
    if result == 0 {
        count_unlink_dentry(Place { mount, dentry: Address(dentry) }, slot);
    }
    true
}

/// The mount that this thread's system call named `dentry` in, if it did.
#[inline(always)]
pub(super) fn mount_of(dentry: u64) -> Option<Address> {
    let tid = bpf_get_current_pid_tgid() as u32;
    // SAFETY: only this thread writes its entry.
    let [named, mount] = unsafe { UNLINKS.get(tid) }.copied()?;
    if named == dentry { Some(Address(mount)) } else { None }
}
