//! kprobe mode: the same functions as in fexit mode, with a probe at the
//! entry that keeps the argument and one at the return that uses it.
//!
//! A kernel that runs out of return probes drops one without a word; then the
//! thread's next entry finds the argument still there, and counts a loss.

use aya_ebpf::{
    EbpfContext as _,
    bindings::BPF_ANY,
    helpers::bpf_get_current_pid_tgid,
    macros::{kprobe, kretprobe},
    programs::{ProbeContext, RetProbeContext},
};
use genome_trace_common::{Kind, Offset};

use super::{
    fexit::{created, mount_of, remember_mount, scratch_slot, unlinked},
    syscall::file_of,
};
use crate::{
    caller::Caller,
    config::fact,
    count::{count_write, has_name, is_stacked},
    hot::Table,
    kernel::Address,
    maps::{CALLS, count_lost},
    row::Row,
    stderr::{STDERR, is_kept, keep},
};

const VFS_WRITE: u32 = 0;
const VFS_WRITEV: u32 = 1;
const DO_SENDFILE: u32 = 2;
const DO_SPLICE: u32 = 3;
const VFS_COPY_FILE_RANGE: u32 = 4;
const VFS_UNLINK: u32 = 5;

#[inline(always)]
fn register(context: *const core::ffi::c_void, offset: Offset) -> u64 {
    Address(context as u64).read(offset)
}

/// Keeps an argument until the function returns, for processes that are
/// counted.
#[inline(always)]
fn enter(function: u32, value: u64, kind: Kind) {
    if !Caller::current().is_counted() {
        return;
    }
    let key = [bpf_get_current_pid_tgid() as u32, function];
    // SAFETY: only this thread writes its entries.
    if unsafe { CALLS.get(key) }.is_some() {
        count_lost(kind);
    }
    if CALLS.insert(key, value, BPF_ANY as u64).is_err() {
        count_lost(kind);
    }
}

/// Takes back what `enter` kept.
#[inline(always)]
fn leave(function: u32) -> Option<u64> {
    let key = [bpf_get_current_pid_tgid() as u32, function];
    // SAFETY: only this thread writes its entries.
    let value = unsafe { CALLS.get(key) }.copied()?;
    let _ = CALLS.remove(key);
    Some(value)
}

#[inline(always)]
fn count(context: &RetProbeContext, function: u32, table: Table, slot: u32) {
    let Some(file) = leave(function) else { return };
    let bytes = register(context.as_ptr(), fact!(regs_return)) as i64;
    if bytes >= 0 {
        count_write(Caller::current(), Address(file), bytes as u64, table, slot);
    }
}

/// At the entry, since the return has no arguments: what is about to be
/// written, which is written nearly always.
#[inline(always)]
fn keep_stderr(context: &ProbeContext, file: u64) {
    let caller = Caller::current();
    if is_kept(caller) && file == file_of(STDERR).0 {
        let from = register(context.as_ptr(), fact!(regs_arg1));
        keep(caller, from, register(context.as_ptr(), fact!(regs_arg2)));
    }
}

macro_rules! counted_function {
    ($entry:ident, $return:ident, $function:expr, $file:ident, $row:expr, $table:expr) => {
        #[kprobe]
        fn $entry(context: ProbeContext) -> u32 {
            let file = register(context.as_ptr(), fact!($file));
            if $function == VFS_WRITE {
                keep_stderr(&context, file);
            }
            if has_name(Address(file))
                && !($function == VFS_COPY_FILE_RANGE && is_stacked(Address(file)))
            {
                enter($function, file, Kind::FileWrite);
            }
            0
        }

        #[kretprobe]
        fn $return(context: RetProbeContext) -> u32 {
            count(&context, $function, $table, const { scratch_slot($row, 0) });
            0
        }
    };
}

counted_function!(
    vfs_write_enter,
    vfs_write_return,
    VFS_WRITE,
    regs_arg0,
    Row::Write,
    Table::FIRST
);
counted_function!(
    vfs_writev_enter,
    vfs_writev_return,
    VFS_WRITEV,
    regs_arg0,
    Row::Writev,
    Table::SECOND
);
counted_function!(
    do_splice_enter,
    do_splice_return,
    DO_SPLICE,
    regs_arg2,
    Row::Splice,
    Table::NONE
);
counted_function!(
    vfs_copy_file_range_enter,
    vfs_copy_file_range_return,
    VFS_COPY_FILE_RANGE,
    regs_arg2,
    Row::CopyFileRange,
    Table::NONE
);

#[kprobe]
fn do_sendfile_enter(context: ProbeContext) -> u32 {
    enter(DO_SENDFILE, register(context.as_ptr(), fact!(regs_arg0)), Kind::FileWrite);
    0
}

#[kretprobe]
fn do_sendfile_return(context: RetProbeContext) -> u32 {
    let Some(fd) = leave(DO_SENDFILE) else { return 0 };
    let bytes = register(context.as_ptr(), fact!(regs_return)) as i64;
    if bytes >= 0 {
        let slot = const { scratch_slot(Row::Sendfile, 0) };
        count_write(Caller::current(), file_of(fd as u32), bytes as u64, Table::NONE, slot);
    }
    0
}

#[kretprobe]
fn do_filp_open_return(context: RetProbeContext) -> u32 {
    let file = register(context.as_ptr(), fact!(regs_return));
    created(file, const { scratch_slot(Row::Open, 0) }, 0);
    0
}

#[kprobe]
fn security_path_unlink_enter(context: ProbeContext) -> u32 {
    remember_mount(
        Address(register(context.as_ptr(), fact!(regs_arg0))),
        register(context.as_ptr(), fact!(regs_arg1)),
    );
    0
}

#[kprobe]
fn vfs_unlink_enter(context: ProbeContext) -> u32 {
    let dentry = if fact!(vfs_unlink_dentry_arg) == 1 {
        register(context.as_ptr(), fact!(regs_arg1))
    } else {
        register(context.as_ptr(), fact!(regs_arg2))
    };
    // Not the nested call of a stacked file system: its return is taken for
    // the one that the system call asked for, which ends right after it.
    if mount_of(dentry).is_some() {
        enter(VFS_UNLINK, dentry, Kind::FileUnlink);
    }
    0
}

#[kretprobe]
fn vfs_unlink_return(context: RetProbeContext) -> u32 {
    if let Some(dentry) = leave(VFS_UNLINK) {
        let result = register(context.as_ptr(), fact!(regs_return)) as i32;
        unlinked(dentry, result, const { scratch_slot(Row::Unlink, 0) });
    }
    0
}
