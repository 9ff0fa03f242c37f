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
    config::fact,
    count::{count_unlink_dentry, count_write, is_stacked, report_create},
    kernel::{Address, argument},
    maps::UNLINKS,
    path::Place,
    twin::{Event, Twin, first, second},
};

/// Errors that a kernel pointer may carry: the last page (include/linux/err.h).
const MAX_ERRNO: u64 = 4095;

/// Counts a write: argument `file` is the file, argument `result` what came back.
#[inline(always)]
fn count(context: &FExitContext, file: u32, result: u32, slot: u32) {
    let bytes = argument(context.as_ptr(), result) as i64;
    if bytes >= 0 {
        count_write(Address(argument(context.as_ptr(), file)), bytes as u64, slot);
    }
}

/// A program on a function that writes, and its twin.
macro_rules! counted_function {
    ($function:literal, $first:ident, $twin:ident, $slot:expr, $count:expr) => {
        #[fexit(function = $function)]
        fn $first(context: FExitContext) -> i32 {
            first($slot, || $count(&context, $slot));
            0
        }

        #[fexit(function = $function)]
        fn $twin(context: FExitContext) -> i32 {
            second($slot, || $count(&context, $slot + TWIN_SLOTS));
            0
        }
    };
}

/// From a program's slot to its twin's.
const TWIN_SLOTS: u32 = 10;

counted_function!("vfs_write", vfs_write_exit, vfs_write_exit_twin, 1, count_vfs_write);
counted_function!("vfs_writev", vfs_writev_exit, vfs_writev_exit_twin, 2, count_vfs_writev);
counted_function!("do_sendfile", do_sendfile_exit, do_sendfile_exit_twin, 3, count_sendfile);
counted_function!("do_splice", do_splice_exit, do_splice_exit_twin, 4, count_do_splice);
counted_function!(
    "vfs_copy_file_range",
    vfs_copy_file_range_exit,
    vfs_copy_file_range_exit_twin,
    5,
    count_copy
);

#[inline(always)]
fn count_vfs_write(context: &FExitContext, slot: u32) {
    count(context, 0, 4, slot);
}

#[inline(always)]
fn count_vfs_writev(context: &FExitContext, slot: u32) {
    count(context, 0, 5, slot);
}

#[inline(always)]
fn count_do_splice(context: &FExitContext, slot: u32) {
    count(context, 2, 6, slot);
}

#[inline(always)]
fn count_sendfile(context: &FExitContext, slot: u32) {
    let bytes = argument(context.as_ptr(), 5) as i64;
    if bytes >= 0 {
        count_write(file_of(argument(context.as_ptr(), 0) as u32), bytes as u64, slot);
    }
}

#[inline(always)]
fn count_copy(context: &FExitContext, slot: u32) {
    if !is_stacked(Address(argument(context.as_ptr(), 2))) {
        count(context, 2, 6, slot);
    }
}

/// `do_filp_open`, or `do_file_open` as it is called since 7.1: both take
/// three arguments and return the file.
#[fexit(function = "do_filp_open")]
fn do_filp_open_exit(context: FExitContext) -> i32 {
    created(argument(context.as_ptr(), 3), 6, Twin::Paired);
    0
}

/// For the opens that the kernel skips the first one for (see twin.rs).
#[fexit(function = "do_filp_open")]
fn do_filp_open_exit_twin(context: FExitContext) -> i32 {
    created(argument(context.as_ptr(), 3), 8, Twin::Paired);
    0
}

/// Reports the file of an open that returned `file`, which may be an error.
#[inline(always)]
pub(super) fn created(file: u64, slot: u32, twin: Twin) {
    if file != 0 && file < u64::MAX - MAX_ERRNO {
        report_create(Address(file), slot, twin);
    }
}

/// Tells the mount of an unlink: `vfs_unlink` is not told it.
#[fentry(function = "security_path_unlink")]
fn security_path_unlink_entry(context: FEntryContext) -> i32 {
    remember_mount(Address(argument(context.as_ptr(), 0)), argument(context.as_ptr(), 1));
    0
}

#[fexit(function = "vfs_unlink")]
fn vfs_unlink_exit(context: FExitContext) -> i32 {
    unlink_returned(&context, 7);
    0
}

/// For the unlinks that the kernel skips the first one for (see twin.rs).
#[fexit(function = "vfs_unlink")]
fn vfs_unlink_exit_twin(context: FExitContext) -> i32 {
    unlink_returned(&context, 10);
    0
}

#[inline(always)]
fn unlink_returned(context: &FExitContext, slot: u32) {
    if fact!(vfs_unlink_dentry_arg) == ABSENT {
        return;
    }
    let dentry = argument(context.as_ptr(), fact!(vfs_unlink_dentry_arg));
    let result = argument(context.as_ptr(), fact!(vfs_unlink_args)) as i32;
    unlinked(dentry, result, slot, Twin::Paired);
}

/// Keeps the mount of the folder of `dentry` for this thread.
#[inline(always)]
pub(super) fn remember_mount(folder: Address, dentry: u64) {
    let tid = bpf_get_current_pid_tgid() as u32;
    let _ = UNLINKS.insert(tid, [dentry, Place::of_path(folder).mount.0], BPF_ANY as u64);
}

/// Counts an unlink that succeeded. A stacked file system unlinks in the file
/// system below by a nested `vfs_unlink`, on a dentry that no system call
/// named: that one is not counted.
#[inline(always)]
pub(super) fn unlinked(dentry: u64, result: i32, slot: u32, twin: Twin) {
    if result != 0 {
        return;
    }
    let name = Address(dentry).read::<u64>(fact!(dentry_hash_len));
    if let Some(mount) = mount_of(dentry)
        && twin.tells(Event::Unlink, dentry ^ name.rotate_left(32))
    {
        count_unlink_dentry(Place { mount, dentry: Address(dentry) }, slot);
    }
}

/// The mount that this thread's system call named `dentry` in, if it did.
#[inline(always)]
pub(super) fn mount_of(dentry: u64) -> Option<Address> {
    let tid = bpf_get_current_pid_tgid() as u32;
    // SAFETY: only this thread writes its entry.
    let [named, mount] = unsafe { UNLINKS.get(tid) }.copied()?;
    if named == dentry { Some(Address(mount)) } else { None }
}
