//! Telling the kernel side which processes were asked for.

use std::{
    collections::HashSet,
    fs, io,
    os::fd::{AsFd as _, AsRawFd as _},
    sync::atomic::{AtomicU8, Ordering},
};

use aya::maps::{HashMap, MapData, MapError};
use genome_trace_common::{MARK_WATCHED, WATCH_BLOCK, WATCH_CANDIDATE, WATCH_TREE};

use crate::kernel::mapping::Mapping;

/// Elements of the map of marks for PIDs below `pids`.
#[must_use]
pub fn mark_blocks(pids: u32) -> u32 {
    pids.div_ceil(u32::try_from(WATCH_BLOCK).unwrap_or(u32::MAX)).max(1)
}

/// A byte for each PID that tells the programs, without a call, that it is not
/// worth looking up in the map.
pub(super) struct Marks {
    mapping: Mapping,
    pids: usize,
}

impl Marks {
    /// Maps the map of them, which has `blocks` elements.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub(super) fn new(marks: &MapData, blocks: u32, page_size: u64) -> io::Result<Self> {
        let pids = usize::try_from(blocks).map_err(io::Error::other)? * WATCH_BLOCK;
        let page = usize::try_from(page_size).map_err(io::Error::other)?;
        let mapping = Mapping::new(
            marks.fd().as_fd().as_raw_fd(),
            pids.next_multiple_of(page),
            libc::PROT_READ | libc::PROT_WRITE,
            0,
        )?;
        Ok(Self { mapping, pids })
    }

    /// Adds a bit to the mark of a process.
    pub(super) fn add(&self, tgid: u32, bit: u8) {
        if let Some(mark) = self.of(tgid) {
            mark.fetch_or(bit, Ordering::SeqCst);
        }
    }

    /// Takes one from it.
    pub(super) fn remove(&self, tgid: u32, bit: u8) {
        if let Some(mark) = self.of(tgid) {
            mark.fetch_and(!bit, Ordering::SeqCst);
        }
    }

    fn of(&self, tgid: u32) -> Option<&AtomicU8> {
        let place = usize::try_from(tgid).ok().filter(|place| *place < self.pids)?;
        // SAFETY: the mapping has a byte for each PID below `pids`.
        let byte = unsafe { self.mapping.start().add(place) };
        // SAFETY: the byte stays mapped as long as `self` lives, and everybody
        // changes it as a whole.
        Some(unsafe { AtomicU8::from_ptr(byte.as_ptr()) })
    }
}

/// Whose files the kernel counts, where it does not count everybody's.
pub struct Watched {
    map: HashMap<MapData, u32, u32>,
    marks: Marks,
}

impl Watched {
    /// Takes over the map, and that of the marks, which has `blocks` elements.
    ///
    /// # Errors
    /// The kernel's refusal to map the marks.
    pub fn new(
        map: HashMap<MapData, u32, u32>,
        marks: &MapData,
        blocks: u32,
        page_size: u64,
    ) -> io::Result<Self> {
        Ok(Self { map, marks: Marks::new(marks, blocks, page_size)? })
    }

    /// Adds a process and all its descendants. The fork program, which must be
    /// attached already, adds those that come later; the tree is read until
    /// nothing new turns up, since it may grow meanwhile.
    ///
    /// # Errors
    /// The kernel's refusal, for example where more processes are watched than
    /// the map has room for.
    pub fn add_tree(&mut self, root: u32) -> Result<(), MapError> {
        let mut added = HashSet::from([root]);
        self.add(root, WATCH_TREE)?;
        loop {
            let before = added.len();
            for (child, parent) in parents() {
                if added.contains(&parent) && added.insert(child) {
                    self.add(child, WATCH_TREE)?;
                }
            }
            if added.len() == before {
                return Ok(());
            }
        }
    }

    /// Adds a process that has no descendants yet, whose it is a matter of the
    /// fork program to add.
    ///
    /// # Errors
    /// As for a tree.
    pub fn add_root(&mut self, root: u32) -> Result<(), MapError> {
        self.add(root, WATCH_TREE)
    }

    /// Adds a process of a persona that was asked for.
    ///
    /// # Errors
    /// As for a tree.
    pub fn add_candidate(&mut self, tgid: u32) -> Result<(), MapError> {
        self.add(tgid, WATCH_CANDIDATE)
    }

    /// Takes out a process whose persona nobody asked for, unless it exec'd
    /// since it had that value, or `--pid` asked for it.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn remove_candidate(&mut self, tgid: u32, value: u32) -> Result<(), MapError> {
        match self.value(tgid) {
            Some(now) if now == value && now & WATCH_TREE == 0 => {
                let removed = self.map.remove(&tgid);
                self.marks.remove(tgid, MARK_WATCHED);
                // It may have exec'd just now.
                if self.value(tgid).is_some() {
                    self.marks.add(tgid, MARK_WATCHED);
                }
                removed
            }
            Some(now) if now == value => self.map.insert(tgid, now & !WATCH_CANDIDATE, 0),
            _ => Ok(()),
        }
    }

    /// Whether nobody is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.keys().next().is_none()
    }

    /// The kernel's value for a process that is watched.
    #[must_use]
    pub fn value(&self, tgid: u32) -> Option<u32> {
        self.map.get(&tgid, 0).ok()
    }

    fn add(&mut self, tgid: u32, why: u32) -> Result<(), MapError> {
        let value = self.value(tgid).unwrap_or(0) | why;
        self.marks.add(tgid, MARK_WATCHED);
        self.map.insert(tgid, value, 0)
    }
}

/// Each process with its parent, as /proc has them now.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, parent_in(&stat)?))
        })
        .collect()
}

/// The fourth field of /proc/PID/stat; the second is in parentheses and may
/// hold anything, parentheses and spaces too.
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parent_in;

    #[test]
    fn a_name_with_parentheses_does_not_mislead() {
        assert_eq!(parent_in("12 (a) S 7) S 34 12 12 0"), Some(34));
        assert_eq!(parent_in("12 (sh) S 1 12"), Some(1));
        assert_eq!(parent_in("12"), None);
    }
}
