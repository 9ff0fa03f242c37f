//! Rows: several equal programs on a hook where nothing may be missed.
//!
//! The kernel skips a program that is already running on the processor. Where
//! programs can be preempted that happens: one process is preempted inside the
//! program, and the next one execs. Programs are guarded one by one, so the
//! others of the row see the event all the same: the first does the work,
//! and a backup acts only while all those before it are occupied. On a busy
//! machine a preempted program stays where it is for many time slices, so one
//! backup is not enough.

use aya_ebpf::{bindings::BPF_ANY, helpers::bpf_get_current_pid_tgid};

use crate::{
    config::config,
    maps::{INSIDE, RESCUED, TOLD, Told, add},
};

/// A hook that has backups.
#[derive(Clone, Copy)]
pub(crate) enum Row {
    Exec,
    Exit,
    Open,
    UnlinkEntry,
    Unlink,
    Write,
    Writev,
    Sendfile,
    Splice,
    CopyFileRange,
}

impl Row {
    pub(crate) const COUNT: u32 = Self::CopyFileRange as u32 + 1;
}

/// Programs in a row, at most.
pub(crate) const RANKS: u32 = 4;

/// Does the work of a program of `row`, where it is this one's turn: `rank` is
/// 0 for the first, and counts the backups from 1.
///
/// A thread that is preempted between two of the row's programs may find those
/// before it occupied although one of them did the work: see [`is_news`].
#[inline(always)]
pub(crate) fn in_turn(row: Row, rank: u32, work: impl FnOnce()) {
    if config!(has_backups) == 0 {
        return work();
    }
    for before in 0..rank {
        let Some(inside) = slot(row, before) else { return };
        // SAFETY: a live map value of this processor.
        if unsafe { inside.read_volatile() } == 0 {
            return;
        }
    }
    let Some(inside) = slot(row, rank) else { return };
    // SAFETY: a live map value of this processor; the program does not nest on
    // it, so nobody else writes the slot.
    unsafe { inside.write_volatile(1) };
    if rank != 0
        && let Some(rescued) = RESCUED.get_ptr_mut(0)
    {
        add(rescued, 1);
    }
    work();
    // SAFETY: as above.
    unsafe { inside.write_volatile(0) };
}

#[inline(always)]
fn slot(row: Row, rank: u32) -> Option<*mut u32> {
    INSIDE.get_ptr_mut(row as u32 * RANKS + rank)
}

/// Whether no other program of the row has told this event. `identity` is what
/// makes it unlike the one before in this thread; where it cannot, because the
/// same pointers come again, the program's own mark tells them apart.
#[inline(always)]
pub(crate) fn is_news(row: Row, rank: u32, identity: u64) -> bool {
    if config!(has_backups) == 0 {
        return true;
    }
    let key = [bpf_get_current_pid_tgid() as u32, row as u32];
    let mark = 1 << rank;
    if let Some(told) = TOLD.get_ptr_mut(key) {
        // SAFETY: a live map value; only this thread writes its entries.
        let told = unsafe { &mut *told };
        if told.identity == identity && told.seen_by & mark == 0 {
            told.seen_by |= mark;
            return false;
        }
    }
    let _ = TOLD.insert(key, Told { identity, seen_by: mark }, BPF_ANY as u64);
    true
}
