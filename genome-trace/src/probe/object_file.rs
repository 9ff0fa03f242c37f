//! The BPF programs, as `cargo xtask build-ebpf` built them, and which of the
//! two builds this kernel takes.

use aya::{
    programs::ProgramType,
    sys::{BpfHelper, is_helper_supported},
};

/// With loops that the kernel calls turn by turn (`bpf_loop`, since 5.17), which
/// it verifies a tenth as long.
static LOOPS_CALLED: &[u8] = aya::include_bytes_aligned!("../../bpf/genome-trace.bpf.o");
/// With plain loops.
static LOOPS_UNROLLED: &[u8] = aya::include_bytes_aligned!("../../bpf/genome-trace-unrolled.bpf.o");

/// The build for this kernel.
pub(super) fn of_this_kernel() -> &'static [u8] {
    // Of any type that needs nothing to attach to: they all have it. Whoever
    // may load no program at all is told so by the load that follows.
    match is_helper_supported(ProgramType::KProbe, BpfHelper::BPF_FUNC_loop) {
        Ok(true) => LOOPS_CALLED,
        Ok(false) | Err(_) => LOOPS_UNROLLED,
    }
}

/// All builds.
#[cfg(test)]
pub(super) fn all() -> [&'static [u8]; 2] {
    [LOOPS_CALLED, LOOPS_UNROLLED]
}
