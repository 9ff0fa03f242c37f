//! Loops of many turns.
//!
//! The verifier walks through every turn of a plain loop, which takes the
//! kernel longer than all else that the tracer waits for at its start.
//! `bpf_loop` (Linux 5.17) is given one turn as a function of its own, which is
//! verified once; the feature `bpf_loop` builds the object for the kernels that
//! have it.

use core::ops::ControlFlow;

/// What one loop works on.
pub(crate) trait Turns {
    /// The turn of that number, from 0 on; breaking ends the loop.
    fn turn(&mut self, number: u32) -> ControlFlow<()>;
}

/// Takes `count` turns at most: a constant, since a plain loop up to a variable
/// may be one without an end to the verifier.
#[cfg(feature = "bpf_loop")]
#[inline(always)]
pub(crate) fn take<T: Turns>(count: u32, turns: &mut T) {
    // SAFETY: the kernel calls `turn` with a number and this pointer, before
    // the helper returns.
    unsafe {
        aya_ebpf::helpers::generated::bpf_loop(
            count,
            turn::<T> as *mut core::ffi::c_void,
            core::ptr::from_mut(turns).cast(),
            0,
        )
    };
}

/// One turn, for the kernel: 0 goes on, 1 ends the loop.
#[cfg(feature = "bpf_loop")]
#[inline(never)]
extern "C" fn turn<T: Turns>(number: u32, turns: *mut T) -> i64 {
    // SAFETY: what `take` handed to the kernel.
    match unsafe { &mut *turns }.turn(number) {
        ControlFlow::Continue(()) => 0,
        ControlFlow::Break(()) => 1,
    }
}

/// Takes `count` turns at most.
#[cfg(not(feature = "bpf_loop"))]
#[inline(always)]
pub(crate) fn take<T: Turns>(count: u32, turns: &mut T) {
    for number in 0..count {
        if turns.turn(number).is_break() {
            break;
        }
    }
}
