//! Telling the kernel side which processes were asked for.

use std::{collections::HashSet, fs};

use aya::maps::{HashMap, MapData, MapError};

/// Marks a process and all its descendants. The fork program, which must be
/// attached already, marks those that come later; the tree is read until
/// nothing new turns up, since it may grow meanwhile.
///
/// # Errors
/// The kernel's refusal, for example where more processes are watched than
/// the map has room for.
pub fn watch_tree(map: &mut HashMap<MapData, u32, u32>, root: u32) -> Result<(), MapError> {
    let mut marked = HashSet::from([root]);
    map.insert(root, 1, 0)?;
    loop {
        let before = marked.len();
        for (child, parent) in parents() {
            if marked.contains(&parent) && marked.insert(child) {
                map.insert(child, 1, 0)?;
            }
        }
        if marked.len() == before {
            return Ok(());
        }
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
