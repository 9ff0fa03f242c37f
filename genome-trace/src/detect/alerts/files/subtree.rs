//! Below which folders it happened: from the counts of single folders to the
//! few that are worth naming.

use std::{cmp::Ordering, ops::Range};

use crate::model::ProcessKey;

/// Folders side by side that are named one by one, at most: more of them are
/// told as the one that they lie in.
const NAMED_APART: usize = 3;

/// A folder's own files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighed<'a> {
    /// Its path, without a slash at the end; the root's is empty.
    pub(super) path: &'a [u8],
    /// How many files.
    pub(super) weight: u64,
    /// Who created the most.
    pub(super) maker: Option<ProcessKey>,
}

/// Folders in an order in which those below one folder stand together, itself
/// first.
pub(super) fn order(a: &[u8], b: &[u8]) -> Ordering {
    // A slash comes before any other byte of a name.
    let rank = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    a.iter().map(rank).cmp(b.iter().map(rank))
}

/// The folders below which too much lies, each with its range of `folders`,
/// which are in their [`order`]. No range lies in another.
///
/// It is the deepest folder that still has too much; the one above where the
/// rest beside it is too much as well, where more than three side by side have
/// too much, or where one process fills those that have. The root alone is none
/// of them: all is below it.
pub(super) fn too_full<'a>(folders: &[Weighed<'a>], limit: u64) -> Vec<(&'a [u8], Range<usize>)> {
    let mut found = Vec::new();
    let own = folders.iter().take_while(|folder| folder.path.is_empty()).count();
    if let Some(root) = folders.get(..own)
        && total(root) >= limit
        && let Some(first) = root.first()
    {
        found.push((first.path, 0..own));
    }
    for group in groups(folders, own..folders.len(), 0) {
        descend(folders, group, limit, &mut found);
    }
    found
}

fn total(folders: &[Weighed<'_>]) -> u64 {
    folders.iter().fold(0, |sum, folder| sum.saturating_add(folder.weight))
}

/// The end of the path's next name after `from`.
fn name_end(path: &[u8], from: usize) -> usize {
    let rest = path.get(from + 1..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'/').map_or(path.len(), |at| from + 1 + at)
}

/// A range of folders that have so many bytes of their paths in common.
struct Group {
    range: Range<usize>,
    common: usize,
}

/// The folders of `range`, whose paths have their first `common` bytes in
/// common, and more, by the next name in them.
fn groups(folders: &[Weighed<'_>], range: Range<usize>, common: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut last: &[u8] = b"";
    for index in range {
        let Some(path) = folders.get(index).map(|folder| folder.path) else { continue };
        let end = name_end(path, common);
        let name = path.get(..end).unwrap_or_default();
        match groups.last_mut() {
            Some(group) if name == last => group.range.end = index + 1,
            _ => groups.push(Group { range: index..index + 1, common: end }),
        }
        last = name;
    }
    groups
}

fn descend<'a>(
    folders: &[Weighed<'a>],
    group: Group,
    limit: u64,
    found: &mut Vec<(&'a [u8], Range<usize>)>,
) {
    let Group { mut range, mut common } = group;
    loop {
        let inside = folders.get(range.clone()).unwrap_or_default();
        let sum = total(inside);
        let Some(first) = inside.first() else { return };
        if sum < limit {
            return;
        }
        let own = inside.iter().take_while(|folder| folder.path.len() == common).count();
        let mut below = groups(folders, range.start + own..range.end, common);
        let weight = |group: &Group| total(folders.get(group.range.clone()).unwrap_or_default());
        below.retain(|group| weight(group) >= limit);
        let rest = sum - below.iter().map(weight).sum::<u64>();
        let maker = |group: &Group| {
            let inside = folders.get(group.range.clone()).unwrap_or_default();
            inside.iter().max_by_key(|folder| folder.weight).and_then(|folder| folder.maker)
        };
        let is_one_makers = || {
            let mut makers = below.iter().map(maker);
            let first = makers.next().flatten();
            first.is_some() && makers.all(|maker| maker == first)
        };
        let is_it = match below.len() {
            0 => true,
            1 => rest >= limit,
            2..=NAMED_APART => rest >= limit || is_one_makers(),
            _ => true,
        };
        if is_it {
            found.push((first.path.get(..common).unwrap_or(first.path), range));
            return;
        }
        // The usual one is not a call in a call: paths may be deep.
        if below.len() == 1
            && let Some(only) = below.pop()
        {
            if only.range == range && only.common == common {
                return;
            }
            (range.start, range.end, common) = (only.range.start, only.range.end, only.common);
            continue;
        }
        for group in below {
            descend(folders, group, limit, found);
        }
        return;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: ProcessKey = ProcessKey { tgid: 1, start_time: 1 };
    const B: ProcessKey = ProcessKey { tgid: 2, start_time: 1 };

    fn named(folders: &[(&str, u64, ProcessKey)], limit: u64) -> Vec<(String, u64)> {
        let mut folders: Vec<_> = folders
            .iter()
            .map(|(path, weight, maker)| Weighed {
                path: path.as_bytes(),
                weight: *weight,
                maker: Some(*maker),
            })
            .collect();
        folders.sort_by(|a, b| order(a.path, b.path));
        too_full(&folders, limit)
            .into_iter()
            .map(|(path, range)| {
                let sum = total(folders.get(range).unwrap_or_default());
                (String::from_utf8_lossy(path).into_owned(), sum)
            })
            .collect()
    }

    fn told(path: &str, sum: u64) -> (String, u64) {
        (path.to_owned(), sum)
    }

    #[test]
    fn the_deepest_folder_that_has_too_much() {
        let found = named(&[("/home/ai/out", 60, A), ("/home/ai", 3, A), ("/tmp", 20, A)], 50);
        assert_eq!(found, [told("/home/ai/out", 60)]);
    }

    #[test]
    fn many_small_folders_are_told_as_the_one_that_they_lie_in() {
        let paths: Vec<_> = (0..60).map(|number| format!("/home/ai/out/{number:04}")).collect();
        let folders: Vec<_> = paths.iter().map(|path| (path.as_str(), 1, A)).collect();
        assert_eq!(named(&folders, 50), [told("/home/ai/out", 60)]);
        let folders: Vec<_> = paths.iter().map(|path| (path.as_str(), 70, B)).collect();
        assert_eq!(named(&folders, 50), [told("/home/ai/out", 4200)]);
    }

    #[test]
    fn two_loops_are_two_findings_unless_one_process_runs_them() {
        let apart = [("/tmp/a", 60, A), ("/tmp/b/c", 90, B), ("/tmp", 2, B)];
        assert_eq!(named(&apart, 50), [told("/tmp/a", 60), told("/tmp/b/c", 90)]);
        let same = [("/tmp/a", 60, A), ("/tmp/b/c", 90, A)];
        assert_eq!(named(&same, 50), [told("/tmp", 150)]);
    }

    #[test]
    fn a_rest_that_is_too_much_belongs_to_the_folder_above() {
        let folders = [("/out", 3000, A), ("/out/sub", 60, A)];
        assert_eq!(named(&folders, 50), [told("/out", 3060)]);
    }

    #[test]
    fn names_that_begin_alike_are_different_folders() {
        let folders = [("/out", 60, A), ("/out-old", 60, B), ("/out/x", 10, A)];
        assert_eq!(named(&folders, 50), [told("/out", 70), told("/out-old", 60)]);
    }

    #[test]
    fn what_is_scattered_over_the_root_is_nothing_and_what_lies_in_it_is() {
        assert_eq!(named(&[("/a", 30, A), ("/b", 30, A)], 50), []);
        assert_eq!(named(&[("", 60, A), ("/b", 30, A)], 50), [told("", 60)]);
    }

    proptest! {
        /// Every folder that is named has too much, none is counted twice, and
        /// whatever single folder has too much lies below a named one.
        #[test]
        fn nothing_is_missed_and_nothing_told_twice(
            folders in proptest::collection::btree_map("(/[ab]{1,2}){0,4}", 0..100_u64, 0..30),
            limit in 1..150_u64,
        ) {
            let mut folders: Vec<_> = folders.iter().map(|(path, weight)| Weighed {
                path: path.as_bytes(), weight: *weight, maker: Some(if weight % 2 == 0 { A } else { B }),
            }).collect();
            folders.sort_by(|a, b| order(a.path, b.path));
            let found = too_full(&folders, limit);
            let mut covered = vec![false; folders.len()];
            for (path, range) in &found {
                let inside = folders.get(range.clone()).unwrap_or_default();
                prop_assert!(total(inside) >= limit);
                for (folder, covered) in inside.iter().zip(covered.iter_mut().skip(range.start)) {
                    let rest = folder.path.strip_prefix(*path);
                    prop_assert!(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")));
                    prop_assert!(!*covered);
                    *covered = true;
                }
            }
            for (folder, covered) in folders.iter().zip(covered) {
                prop_assert!(covered || folder.weight < limit, "{:?}", folder);
            }
        }
    }
}
