//! Twins: a second program on the hooks where nothing may be missed.
//!
//! The kernel skips a program that is already running on the processor. Where
//! tracepoints can be preempted (since 7.0, and on real-time kernels) that
//! happens: one process is preempted inside the program, the next one execs.
//! Programs are guarded one by one, so a twin on the same hook sees the event
//! all the same; it tells what the other did not.

use aya_ebpf::{bindings::BPF_ANY, helpers::bpf_get_current_pid_tgid};

use crate::maps::{INSIDE, RESCUED, TOLD, add};

/// Which of a twinned pair's events are spoken of.
#[derive(Clone, Copy)]
pub(crate) enum Event {
    Exec = 0,
    Fork = 1,
    Exit = 2,
    Create = 3,
    Unlink = 4,
}

/// Whether a program has a twin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twin {
    Paired,
    Alone,
}

impl Twin {
    /// Whether this program is to tell the event: whichever of the two comes
    /// first does. (Programs on a tracepoint run in the order of attachment,
    /// those of a trampoline in the opposite one.) `identity` is what makes it
    /// unlike the next event of that sort in this thread.
    #[inline(always)]
    pub(crate) fn tells(self, event: Event, identity: u64) -> bool {
        if self == Self::Alone {
            return true;
        }
        let key = [bpf_get_current_pid_tgid() as u32, event as u32];
        // SAFETY: only this thread writes its entries.
        if unsafe { TOLD.get(key) }.copied() == Some(identity) {
            let _ = TOLD.remove(key);
            return false;
        }
        let _ = TOLD.insert(key, identity, BPF_ANY as u64);
        true
    }
}

/// Runs the work of a program on the hot path, where a look-up a call in a hash
/// map would cost too much. While it runs, this processor's `INSIDE` says so.
#[inline(always)]
pub(crate) fn first(slot: u32, work: impl FnOnce()) {
    let inside = INSIDE.get_ptr_mut(slot);
    if let Some(inside) = inside {
        // SAFETY: a live map value of this processor; the program does not
        // nest on it, so nobody else writes the slot.
        unsafe { inside.write_volatile(1) };
    }
    work();
    if let Some(inside) = inside {
        // SAFETY: as above.
        unsafe { inside.write_volatile(0) };
    }
}

/// Runs the work of the twin: only while another thread was preempted inside
/// the first, which means that the first is skipped for this one.
#[inline(always)]
pub(crate) fn second(slot: u32, work: impl FnOnce()) {
    let Some(inside) = INSIDE.get_ptr_mut(slot) else { return };
    // SAFETY: a live map value of this processor.
    if unsafe { inside.read_volatile() } == 0 {
        return;
    }
    work();
    if let Some(rescued) = RESCUED.get_ptr_mut(0) {
        add(rescued, 1);
    }
}
