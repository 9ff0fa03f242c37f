//! Tracepoint mode: every system call's exit, with the file found through the
//! caller's descriptor table. Needs no kprobes and no BPF trampolines.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};

use genome_trace_common::{
    SYSCALL_OPENS, SYSCALL_UNLINKS, SYSCALL_UNLINKS_AT, SYSCALL_WRITES_ARG0, SYSCALL_WRITES_ARG2,
    SYSCALLS_MAX,
};

use crate::{
    caller::Caller,
    config::{fact, load, syscall_acts},
    count::{count_unlink_user, count_write, report_create},
    hot::Table,
    kernel::{Address, Memory as _, current, raw},
    stderr::{STDERR, is_write, keep},
    typed::{self, Typed, value},
};

pub(super) const SLOT: u32 = 0;
/// `AT_FDCWD` and `AT_REMOVEDIR`, include/uapi/linux/fcntl.h.
const AT_FDCWD: i32 = -100;
const AT_REMOVEDIR: u64 = 0x200;

#[btf_tracepoint(function = "sys_exit")]
fn sys_exit(context: BtfTracePointContext) -> i32 {
    // SAFETY: the arguments of `sys_exit`: struct pt_regs *, long.
    let (registers, result) =
        unsafe { (Typed::argument::<0>(raw(&context)), value::<1>(raw(&context)) as i64) };
    if result < 0 {
        return 0;
    }
    let number: u64 = registers.read(fact!(regs_syscall));
    // One place for each act, so that the verifier walks through it once.
    let fd: u64 = match act(number) {
        SYSCALL_WRITES_ARG0 => registers.read(fact!(regs_syscall_arg0)),
        SYSCALL_WRITES_ARG2 => registers.read(fact!(regs_arg2)),
        SYSCALL_OPENS => {
            opened(Caller::current(), result);
            return 0;
        }
        act @ (SYSCALL_UNLINKS | SYSCALL_UNLINKS_AT) => {
            unlinked(Caller::current(), registers.address(), act == SYSCALL_UNLINKS_AT);
            return 0;
        }
        _ => return 0,
    };
    let caller = Caller::current();
    if caller.is_counted() {
        wrote(caller, fd as u32, result, Table::FIRST);
    }
    if is_write(number) && fd as u32 == STDERR {
        keep(caller, registers.read(fact!(regs_arg1)), result as u64);
    }
    0
}

#[inline(always)]
pub(super) fn opened(caller: Caller, fd: i64) {
    if !caller.is_32_bit() {
        report_create(caller, file_of(fd as u32), SLOT, None);
    }
}

/// Counts a write by a caller whose files are counted.
#[inline(always)]
pub(super) fn wrote(caller: Caller, fd: u32, bytes: i64, table: Table) {
    if caller.is_32_bit() {
        return;
    }
    if typed::can_cast() {
        count_write(caller, caller.file(fd), bytes as u64, table, SLOT);
    } else {
        count_write(caller, file_of(fd), bytes as u64, table, SLOT);
    }
}

/// What a system call does that is of interest.
#[inline(always)]
pub(super) fn act(number: u64) -> u8 {
    if number >= SYSCALLS_MAX as u64 {
        return 0;
    }
    load(&raw const syscall_acts().0[number as usize & (SYSCALLS_MAX - 1)])
}

#[inline(always)]
fn regs_syscall_arg0(registers: Address) -> u64 {
    registers.read(fact!(regs_syscall_arg0))
}

/// unlink(name), or unlinkat(folder, name, flags).
#[inline(always)]
pub(super) fn unlinked(caller: Caller, registers: Address, at: bool) {
    if caller.is_32_bit() {
        return;
    }
    let first = regs_syscall_arg0(registers);
    let (name, folder) = if at {
        if registers.read::<u64>(fact!(regs_arg2)) & AT_REMOVEDIR != 0 {
            return;
        }
        (registers.read(fact!(regs_arg1)), first as i32)
    } else {
        (first, AT_FDCWD)
    };
    let base = if folder == AT_FDCWD {
        current().follow(fact!(task_fs)).field(fact!(fs_pwd))
    } else {
        file_of(folder as u32).field(fact!(file_path))
    };
    count_unlink_user(name, base, SLOT);
}

/// The current process' file behind a descriptor; null where there is none.
#[inline(always)]
pub(super) fn file_of(fd: u32) -> Address {
    let table = current().follow(fact!(task_files)).follow(fact!(files_fdt));
    if fd >= table.read::<u32>(fact!(fdtable_max_fds)) {
        return Address(0);
    }
    Address(table.follow(fact!(fdtable_fd)).0 + fd as u64 * 8).follow(0)
}
