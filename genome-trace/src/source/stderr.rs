//! The end of what processes wrote to their standard error: asked for process
//! by process, taken when it has ended.

use std::io;

use aya::maps::{HashMap, MapData};
use genome_trace_common::{MARK_STDERR, StderrTail};
use rustc_hash::FxHashSet;

use super::watch::Marks;

/// Only a new element (include/uapi/linux/bpf.h).
const BPF_NOEXIST: u64 = 1;

/// Ends of processes' standard error, in the kernel.
pub struct StderrTails {
    map: HashMap<MapData, u32, StderrTail>,
    marks: Marks,
    /// Those that are kept, so that the kernel is asked for no other.
    kept: FxHashSet<u32>,
}

impl StderrTails {
    /// Takes over the map, and shares that of the marks, which has `blocks`
    /// elements.
    ///
    /// # Errors
    /// The kernel's refusal to map the marks.
    pub fn new(
        map: HashMap<MapData, u32, StderrTail>,
        marks: &MapData,
        blocks: u32,
        page_size: u64,
    ) -> io::Result<Self> {
        let marks = Marks::new(marks, blocks, page_size)?;
        Ok(Self { map, marks, kept: FxHashSet::default() })
    }

    /// From now on what this process writes there is kept. Where the map has
    /// no room, or the PID no mark, it is not, and will be unknown.
    pub fn keep(&mut self, tgid: u32) {
        // One that is kept already, as before an exec, goes on.
        if !self.kept.contains(&tgid)
            && self.map.insert(tgid, StderrTail::EMPTY, BPF_NOEXIST).is_ok()
        {
            self.marks.add(tgid, MARK_STDERR);
            self.kept.insert(tgid);
        }
    }

    /// What a process that has ended wrote last; `None` where it was not kept.
    pub fn take(&mut self, tgid: u32) -> Option<Vec<u8>> {
        let tail = self.kept.contains(&tgid).then(|| self.map.get(&tgid, 0).ok()).flatten();
        self.forget(tgid);
        Some(tail?.pieces().concat())
    }

    /// A process has ended, and nobody asks what it wrote.
    pub fn forget(&mut self, tgid: u32) {
        if self.kept.remove(&tgid) {
            // The kernel clears it at the end of a process, but that may have
            // been before it was set.
            self.marks.remove(tgid, MARK_STDERR);
            // It is there, and only we take it out.
            let _ = self.map.remove(&tgid);
        }
    }
}
