//! Telling the kernel side which processes were asked for.

use std::{collections::HashSet, fs};

use aya::maps::{HashMap, MapData, MapError};
use genome_trace_common::{WATCH_CANDIDATE, WATCH_TREE};

/// Whose files the kernel counts, where it does not count everybody's.
pub struct Watched {
    map: HashMap<MapData, u32, u32>,
}

impl Watched {
    /// Takes over the map.
    #[must_use]
    pub const fn new(map: HashMap<MapData, u32, u32>) -> Self {
        Self { map }
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
            Some(now) if now == value && now & WATCH_TREE == 0 => self.map.remove(&tgid),
            Some(now) if now == value => self.map.insert(tgid, now & !WATCH_CANDIDATE, 0),
            _ => Ok(()),
        }
    }

    /// The kernel's value for a process that is watched.
    #[must_use]
    pub fn value(&self, tgid: u32) -> Option<u32> {
        self.map.get(&tgid, 0).ok()
    }

    fn add(&mut self, tgid: u32, why: u32) -> Result<(), MapError> {
        let value = self.value(tgid).unwrap_or(0) | why;
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
