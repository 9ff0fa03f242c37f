//! Who is who now: every process that /proc shows, and whose it is.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::{
    kernel::{cgroup::Hierarchy, process},
    model::ProcessKey,
    persona::{Facts, Registry},
    pipeline::{RuleFiles, facts_from_proc},
};

/// A process, its parent's id, and what it is.
pub(super) type Found = (ProcessKey, Option<u32>, Facts<'static>);

/// Every process with its persona, by these rules and the machine's. Says on
/// stderr where it is not all that could be seen.
pub(super) fn registry(rule_files: &[PathBuf]) -> anyhow::Result<Registry> {
    let mut registry = Registry::new(RuleFiles::new(rule_files.to_vec()).read()?);
    let processes = processes()?;
    let closed = processes.iter().filter(|(_, _, facts)| facts.exe.is_none()).count();
    if closed > 0 && !rustix::process::geteuid().is_root() {
        eprintln!(
            "genome-trace: {closed} processes of other users could not be looked at: run it with \
             sudo to see them"
        );
    }
    registry.found(processes);
    Ok(registry)
}

/// Every process that /proc shows, but for kernel threads.
pub(super) fn processes() -> anyhow::Result<Vec<Found>> {
    let hierarchy = Hierarchy::find();
    let found = process::processes().context("cannot list the processes in /proc")?;
    Ok(found
        .into_iter()
        .filter(|process| !is_kernel_thread(process.tgid, process.ppid))
        .map(|process| {
            let key = ProcessKey { tgid: process.tgid, start_time: process.start_ns() };
            (key, Some(process.ppid), facts_from_proc(process, hierarchy.as_ref()))
        })
        .collect())
}

/// kthreadd is process 2, and all others are its children.
const fn is_kernel_thread(tgid: u32, ppid: u32) -> bool {
    const KTHREADD: u32 = 2;
    (tgid == KTHREADD && ppid == 0) || ppid == KTHREADD
}
