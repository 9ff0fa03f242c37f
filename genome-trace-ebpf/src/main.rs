//! genome-trace's kernel side: thin programs that report facts and decide
//! nothing. What a fact means is userspace's business.
//!
//! rustc emits no CO-RE relocations, so the programs know no field offsets;
//! they read them from `config::KERNEL`, which the loader fills from the
//! running kernel's BTF before the verifier sees the code.
#![no_std]
#![no_main]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

mod caller;
mod config;
mod count;
mod hot;
mod kernel;
mod maps;
mod path;
mod programs;
mod record;
mod row;
mod stderr;
mod turns;
mod typed;
mod usage;

/// The kernel lets only GPL-compatible programs call the helpers used here.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    // SAFETY: no code path panics: there is no indexing, unwrap or arithmetic
    // that can fail, and the linker drops this function.
    unsafe { core::hint::unreachable_unchecked() }
}
