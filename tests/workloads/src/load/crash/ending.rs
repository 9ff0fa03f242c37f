//! Ending this process.

use std::hint::black_box;
use std::ptr;
use std::sync::atomic::Ordering::SeqCst;

use anyhow::Context as _;

use crate::load::crash::deep;
use crate::load::crash::how::How;
use crate::load::crash::leader;
use crate::sys::process;
use crate::sys::shared::SharedTable;

/// Ends this process; returns only the code that it shall exit with. A child
/// that does the killing leaves its pid in `killer`.
pub(super) fn end(how: How, killer: &SharedTable) -> anyhow::Result<u8> {
    match how {
        How::Segv => segv(),
        How::SegvDeep => segv_deep(),
        How::Abort => process::abort(),
        How::Exit(code) => Ok(code),
        How::SigtermSelf => {
            process::kill(i32::try_from(std::process::id())?, libc::SIGTERM)
                .context("send SIGTERM")?;
            Ok(process::pause_for_ever()?)
        }
        How::KillByChild => kill_by_child(killer),
        How::LeaderExitsFirst | How::LastThreadExits => leader::exit_first(how),
    }
}

/// The pid that a killing child left.
pub(super) fn killer(table: &SharedTable) -> Option<i32> {
    let pid = table.slots().first()?.load(SeqCst);
    i32::try_from(pid).ok().filter(|pid| *pid != 0)
}

fn segv() -> anyhow::Result<u8> {
    process::default_action(libc::SIGSEGV).context("give SIGSEGV its default action")?;
    // Not 0 itself: a debug build would stop a null read before the kernel.
    let nowhere = ptr::without_provenance::<u8>(black_box(16));
    // SAFETY: there is none: nothing is mapped in the first page, and the
    // kernel ends this process here, which is what it is for.
    let byte = unsafe { nowhere.read_volatile() };
    anyhow::bail!("address 16 could be read: {byte}")
}

fn segv_deep() -> anyhow::Result<u8> {
    process::default_action(libc::SIGSEGV).context("give SIGSEGV its default action")?;
    anyhow::bail!("address 16 could be read: {}", deep::fault())
}

fn kill_by_child(killer: &SharedTable) -> anyhow::Result<u8> {
    let _killer = process::fork(|| {
        if let Some(slot) = killer.slots().first() {
            slot.store(std::process::id(), SeqCst);
        }
        process::set_name(c"gt-killer")?;
        process::kill(process::parent(), libc::SIGKILL)?;
        Ok(0)
    })
    .context("fork a killer")?;
    // Not a wait for the killer: reaped here, it could not be waited for by
    // the process that tells what became of it.
    Ok(process::pause_for_ever()?)
}
