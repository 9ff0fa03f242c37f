//! What a run did to files, by folder.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{BuildHasher as _, RandomState},
};

use rustc_hash::FxBuildHasher;

use super::{RunNames, table::Table};
use crate::model::{FileCreate, FileUnlink, FileWrite, RunFolder};

/// Different files that are told apart: 8 bytes each.
const WRITTEN_MAX: usize = 1 << 22;
/// Where something was done whose path nobody told.
const UNKNOWN: &str = "unknown";

/// What was done to files.
#[derive(Debug, Default)]
pub(super) struct Files {
    folders: Table<RunFolder>,
    all: RunFolder,
    /// What has no row.
    unlisted: RunFolder,
    /// Numbers of the files that were written to.
    seen: HashSet<u64, FxBuildHasher>,
    /// Names come from outside, so the numbers go by a key that is not known
    /// there.
    key: RandomState,
    has_forgotten: bool,
}

impl Files {
    pub(super) fn created(&mut self, file: &FileCreate<'_>, names: &dyn RunNames) {
        self.add(file.path, names, RunFolder { created: 1, ..RunFolder::default() });
    }

    pub(super) fn unlinked(&mut self, file: &FileUnlink<'_>, names: &dyn RunNames) {
        self.add(
            file.path,
            names,
            RunFolder { unlinked: file.unlink_calls, ..RunFolder::default() },
        );
    }

    pub(super) fn written(&mut self, file: &FileWrite<'_>, names: &dyn RunNames) {
        let number = match file.path {
            Some(path) if has_no_name(path, file.inode) => self.key.hash_one(folder_of(path)),
            Some(path) => self.key.hash_one(path),
            None => self.key.hash_one((file.device, file.inode)),
        };
        let done = RunFolder {
            written_files: u64::from(self.is_new(number)),
            write_calls: file.write_calls,
            written_bytes: file.written_bytes,
            ..RunFolder::default()
        };
        self.add(file.path, names, done);
    }

    fn is_new(&mut self, number: u64) -> bool {
        if self.seen.len() >= WRITTEN_MAX {
            self.has_forgotten = true;
            return false;
        }
        self.seen.insert(number)
    }

    fn add(&mut self, path: Option<&[u8]>, names: &dyn RunNames, done: RunFolder) {
        let place = match path {
            Some(path) => self.folders.place(folder_of(path), |folder| names.folder(folder)),
            None => self.folders.place(UNKNOWN.as_bytes(), |_| UNKNOWN.to_owned()),
        };
        add(&mut self.all, &done);
        add(place.and_then(|place| self.folders.row(place)).unwrap_or(&mut self.unlisted), &done);
    }

    pub(super) const fn figures(&self) -> &RunFolder {
        &self.all
    }

    /// More files were written to than could be told apart.
    pub(super) const fn has_forgotten(&self) -> bool {
        self.has_forgotten
    }

    /// The folders' rows, and what was done where there is none.
    pub(super) fn listed(&self, max: usize) -> (BTreeMap<String, RunFolder>, RunFolder) {
        let weight = |row: &RunFolder| row.created + row.unlinked + row.written_files;
        let (listed, rest) = self.folders.listed(max, weight);
        let mut unlisted = self.unlisted;
        for row in &rest {
            add(&mut unlisted, row);
        }
        (listed, unlisted)
    }
}

/// Whether a file was opened without a name (`O_TMPFILE`, open(2)): the kernel
/// calls it by its inode number (`d_mark_tmpfile`, fs/dcache.c), which may be
/// the next one's, too, or not. So those of one folder are one file.
fn has_no_name(path: &[u8], inode: u64) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let number = name.strip_prefix(b"#").and_then(|number| str::from_utf8(number).ok());
    number.is_some_and(|number| number.parse() == Ok(inode))
}

fn add(to: &mut RunFolder, done: &RunFolder) {
    let sum = |to: &mut u64, done: u64| *to = to.saturating_add(done);
    sum(&mut to.created, done.created);
    sum(&mut to.unlinked, done.unlinked);
    sum(&mut to.written_files, done.written_files);
    sum(&mut to.write_calls, done.write_calls);
    sum(&mut to.written_bytes, done.written_bytes);
}

/// All of a path up to its last slash; all of one that has none, as that of a
/// file in memory.
fn folder_of(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(0) => b"/",
        Some(slash) => path.get(..slash).unwrap_or(path),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_name_is_called_by_its_inode() {
        assert!(has_no_name(b"/tmp/#17", 17));
        for (path, inode) in [("/tmp/#17", 18), ("/tmp/17", 17), ("/tmp/#", 0), ("#17/a", 17)] {
            assert!(!has_no_name(path.as_bytes(), inode), "{path}");
        }
    }

    #[test]
    fn a_folder_is_all_but_the_files_own_name() {
        for (path, folder) in [("/a/b/c", "/a/b"), ("/a", "/"), ("/", "/"), ("memfd:x", "memfd:x")]
        {
            assert_eq!(folder_of(path.as_bytes()), folder.as_bytes(), "{path}");
        }
    }
}
