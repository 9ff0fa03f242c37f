//! Rows: several equal programs on a hook where nothing may be missed.
//!
//! The kernel skips a program that is already running on the processor. Where
//! programs can be preempted that happens: one process is preempted inside the
//! program, and the next one execs. Programs are guarded one by one, so the
//! others of the row see the event all the same: the first does the work, and a
//! backup what those before it were skipped for. One backup is enough where a
//! program is far shorter than a time slice; more of them cost start-up, since
//! each is verified.

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
pub(crate) const RANKS: u32 = 2;

/// Runs the work of a program on a hook that most calls pass for nothing, or
/// where asking a hash map would cost too much: the first marks its processor
/// while it is at work, and a backup acts only while all those before it are
/// marked.
#[inline(always)]
pub(crate) fn in_turn(row: Row, rank: u32, work: impl FnOnce()) {
    if config!(has_backups) == 0 {
        return work();
    }
    if rank == 0 {
        return marked(row, rank, work);
    }
    if are_occupied(row, rank) {
        count_rescued();
        marked(row, rank, work);
    }
}

/// The same for rare events none of which may be missed. A thread that is
/// preempted on the way into the first program, or out of it, has set no mark:
/// the last backup does not go by marks, but by what was told.
#[inline(always)]
pub(crate) fn in_turn_for_each(
    row: Row,
    rank: u32,
    identity: impl FnOnce() -> u64,
    work: impl FnOnce(),
) {
    if config!(has_backups) == 0 {
        return work();
    }
    if rank == 0 || rank == RANKS - 1 || are_occupied(row, rank) {
        marked(row, rank, || {
            if is_news(row, rank, identity()) {
                if rank != 0 {
                    count_rescued();
                }
                work();
            }
        });
    }
}

/// Marks the processor while `work` runs.
#[inline(always)]
fn marked(row: Row, rank: u32, work: impl FnOnce()) {
    let Some(inside) = slot(row, rank) else { return };
    // SAFETY: a live map value of this processor; the program does not nest on
    // it, so nobody else writes the slot.
    unsafe { inside.write_volatile(1) };
    work();
    // SAFETY: as above.
    unsafe { inside.write_volatile(0) };
}

/// Whether other threads were preempted in all the programs before this one.
#[inline(always)]
fn are_occupied(row: Row, rank: u32) -> bool {
    for before in 0..rank {
        let Some(inside) = slot(row, before) else { return false };
        // SAFETY: a live map value of this processor.
        if unsafe { inside.read_volatile() } == 0 {
            return false;
        }
    }
    true
}

/// Counts a call that the first of a row was skipped for, and a backup was not.
#[inline(always)]
pub(crate) fn count_rescued() {
    if let Some(rescued) = RESCUED.get_ptr_mut(0) {
        add(rescued, 1);
    }
}

#[inline(always)]
fn slot(row: Row, rank: u32) -> Option<*mut u32> {
    INSIDE.get_ptr_mut(row as u32 * RANKS + rank)
}

/// Whether no other program of the row has told this event. `identity` is what
/// makes it unlike the one before in this thread; where it cannot, because the
/// same pointers come again, the program's own mark tells them apart.
///
/// The first of a row comes first (see the loader), so what is news to a backup
/// is what those before it were skipped for.
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
