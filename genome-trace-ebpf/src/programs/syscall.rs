//! Tracepoint mode: every system call's exit, with the file found through the
//! caller's descriptor table. Needs no kprobes and no BPF trampolines.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};

use crate::{
    config::{fact, syscall},
    count::{count_unlink_user, count_write, report_create},
    kernel::{Address, argument, current, raw},
};

const SLOT: u32 = 0;
/// x86's `TS_COMPAT`: a 32-bit system call, whose numbers mean other calls.
const TS_COMPAT: u32 = 2;
/// `AT_FDCWD` and `AT_REMOVEDIR`, include/uapi/linux/fcntl.h.
const AT_FDCWD: i32 = -100;
const AT_REMOVEDIR: u64 = 0x200;

#[btf_tracepoint(function = "sys_exit")]
fn sys_exit(context: BtfTracePointContext) -> i32 {
    let result = argument(raw(&context), 1) as i64;
    if result < 0 {
        return 0;
    }
    let registers = Address(argument(raw(&context), 0));
    let number = registers.read::<i64>(fact!(regs_syscall));
    if number < 0 {
        return 0;
    }
    // One place for each act, so that the verifier walks through it once.
    let fd = if number == syscall!(write)
        || number == syscall!(pwrite64)
        || number == syscall!(writev)
        || number == syscall!(pwritev)
        || number == syscall!(pwritev2)
        || number == syscall!(sendfile)
    {
        regs_syscall_arg0(registers)
    } else if number == syscall!(splice) || number == syscall!(copy_file_range) {
        registers.read(fact!(regs_arg2))
    } else if number == syscall!(open)
        || number == syscall!(creat)
        || number == syscall!(openat)
        || number == syscall!(openat2)
    {
        if !is_32_bit() {
            report_create(file_of(result as u32), SLOT, 0);
        }
        return 0;
    } else if number == syscall!(unlink) || number == syscall!(unlinkat) {
        unlinked(registers, number == syscall!(unlinkat));
        return 0;
    } else {
        return 0;
    };
    if is_32_bit() {
        return 0;
    }
    count_write(file_of(fd as u32), result as u64, SLOT);
    0
}

#[inline(always)]
fn regs_syscall_arg0(registers: Address) -> u64 {
    registers.read(fact!(regs_syscall_arg0))
}

#[inline(always)]
fn is_32_bit() -> bool {
    current().read::<u32>(fact!(task_thread_status)) & TS_COMPAT != 0
}

/// unlink(name), or unlinkat(folder, name, flags).
#[inline(always)]
fn unlinked(registers: Address, at: bool) {
    if is_32_bit() {
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
