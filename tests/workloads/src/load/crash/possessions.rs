//! What a process has when it ends: threads, open files, memory.

use std::fs::{self, File};
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::sys::shared::SharedTable;

/// Numbers that are told: threads, open files, resident KiB.
pub(super) const SLOTS: usize = 3;

/// Takes so many more threads and files, and leaves in `had` what there is of
/// each then. The files are open as long as they are held.
pub(super) fn take(threads: u32, open_files: u32, had: &SharedTable) -> anyhow::Result<Vec<File>> {
    for _ in 0..threads {
        let idle = || loop {
            thread::park();
        };
        thread::Builder::new().spawn(idle).context("start a thread")?;
    }
    let open = || File::open("/dev/null").context("open /dev/null");
    let files = (0..open_files).map(|_| open()).collect::<anyhow::Result<Vec<_>>>()?;
    // Less the one that the list is read by.
    let listed = fs::read_dir("/proc/self/fd").context("list /proc/self/fd")?.count();
    let status = fs::read_to_string("/proc/self/status").context("read /proc/self/status")?;
    let figure = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u32>().ok())
    };
    let figures = [
        figure("Threads:"),
        u32::try_from(listed).ok().and_then(|count| count.checked_sub(1)),
        figure("VmRSS:"),
    ];
    for (slot, figure) in had.slots().iter().zip(figures) {
        slot.store(figure.context("/proc does not tell all of this process")?, SeqCst);
    }
    Ok(files)
}

/// What the process left.
pub(super) fn json(had: &SharedTable) -> Value {
    let mut figures = had.slots().iter().map(|slot| slot.load(SeqCst));
    let mut next = || figures.next().unwrap_or_default();
    json!({ "threads": next(), "open_files": next(), "rss_kib": next() })
}
