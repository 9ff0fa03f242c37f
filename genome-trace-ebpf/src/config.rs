//! Read-only globals that the loader sets before the programs are verified.
//!
//! The verifier takes them for constants: a branch on a fact that this kernel
//! does not have is dropped, and never run.

use genome_trace_common::{KernelFacts, ProgramConfig, SyscallActs};

#[unsafe(no_mangle)]
static KERNEL: KernelFacts = KernelFacts::ABSENT;

#[unsafe(no_mangle)]
static SYSCALLS: SyscallActs = SyscallActs::NONE;

#[unsafe(no_mangle)]
static CONFIG: ProgramConfig = ProgramConfig::DEFAULT;

/// A field of `KernelFacts`.
macro_rules! fact {
    ($name:ident) => {
        $crate::config::load(&raw const $crate::config::kernel_facts().$name)
    };
}
pub(crate) use fact;

/// A field of `ProgramConfig`.
macro_rules! config {
    ($name:ident) => {
        $crate::config::load(&raw const $crate::config::program_config().$name)
    };
}
pub(crate) use config;

#[inline(always)]
pub(crate) fn kernel_facts() -> &'static KernelFacts {
    &KERNEL
}

#[inline(always)]
pub(crate) fn syscall_acts() -> &'static SyscallActs {
    &SYSCALLS
}

#[inline(always)]
pub(crate) fn program_config() -> &'static ProgramConfig {
    &CONFIG
}

/// Reads a global as the loader left it: volatile, because the compiler sees
/// only the initial value and would fold it in.
#[inline(always)]
pub(crate) fn load<T: Copy>(global: *const T) -> T {
    // SAFETY: called by the macros above only, with the address of a field of
    // a static.
    unsafe { core::ptr::read_volatile(global) }
}
