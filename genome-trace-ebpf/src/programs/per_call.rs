//! syscall mode: the return of those system calls alone that write, open or
//! unlink, through the kernel's tracepoint for each (kernel/trace/trace_syscalls.c,
//! perf_syscall_exit()). The others pay for no program.
//!
//! The kernel runs these with preemption off, so they share what `sys_exit`
//! uses, and leaves 32-bit calls out by itself.

use aya_ebpf::{EbpfContext as _, macros::tracepoint, programs::TracePointContext};
use genome_trace_common::SYSCALL_UNLINKS_AT;

use super::syscall::{SLOT, act, file_of, opened, unlinked, wrote};
use crate::{
    caller::Caller,
    config::fact,
    count::count_write,
    hot::Table,
    kernel::Memory as _,
    stderr::{STDERR, is_write, keep},
};

/// Where `__syscall_nr` is in the context, `struct syscall_tp_t`.
const NUMBER: usize = 8;
/// Where `ret` is in it.
const RESULT: usize = 16;

/// What the call returned, where it succeeded.
#[inline(always)]
fn result(context: &TracePointContext) -> Option<i64> {
    // SAFETY: the context of a `sys_exit_*` tracepoint has a long there.
    let result = unsafe { context.as_ptr().cast::<u8>().add(RESULT).cast::<i64>().read_volatile() };
    (result >= 0).then_some(result)
}

/// Which call it is.
#[inline(always)]
fn number(context: &TracePointContext) -> u64 {
    // SAFETY: as above; an int.
    unsafe { context.as_ptr().cast::<u8>().add(NUMBER).cast::<u32>().read_volatile() as u64 }
}

/// write, pwrite64, writev, pwritev, pwritev2, sendfile: the first argument is
/// the descriptor.
#[tracepoint]
fn syscall_write(context: TracePointContext) -> u32 {
    if let Some(result) = result(&context) {
        let caller = Caller::current();
        if caller.is_counted() {
            let registers = caller.registers();
            let fd = registers.read::<u64>(fact!(regs_syscall_arg0)) as u32;
            wrote(caller, fd, result, Table::FIRST);
            if fd == STDERR && is_write(number(&context)) {
                keep(caller, registers.read(fact!(regs_arg1)), result as u64);
            }
        }
    }
    0
}

/// splice, copy_file_range: the third one is.
#[tracepoint]
fn syscall_splice(context: TracePointContext) -> u32 {
    if let Some(result) = result(&context) {
        let caller = Caller::current();
        if caller.is_counted() {
            let fd = caller.registers().read::<u64>(fact!(regs_arg2));
            count_write(caller, file_of(fd as u32), result as u64, Table::NONE, SLOT);
        }
    }
    0
}

/// open, creat, openat, openat2.
#[tracepoint]
fn syscall_open(context: TracePointContext) -> u32 {
    if let Some(result) = result(&context) {
        opened(Caller::current(), result);
    }
    0
}

/// unlink, unlinkat.
#[tracepoint]
fn syscall_unlink(context: TracePointContext) -> u32 {
    if result(&context).is_some() {
        let caller = Caller::current();
        let is_at = act(number(&context)) == SYSCALL_UNLINKS_AT;
        unlinked(caller, caller.registers().address(), is_at);
    }
    0
}
