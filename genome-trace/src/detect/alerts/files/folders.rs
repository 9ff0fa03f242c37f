//! Who creates how much in which folder: a table of bounded size, in which
//! small folders become part of the one above when there are too many.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_64;

use super::window::{Counts, SPAN, Window};
use crate::model::ProcessKey;

/// Of a folder's path so many bytes are kept: one that is deeper is told as the
/// last one on the way to it that fits.
pub(super) const PATH_KEPT: usize = 512;
/// Processes that are told apart in one folder.
const MAKERS: usize = 4;
/// The latest names that are kept of a folder, beside the first.
const LATEST: usize = 2;

/// A path's folder, without a slash at its end, and what stands behind it.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let slash = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte == b'/');
    let Some(mut at) = slash(path) else { return (b"", path) };
    if at > PATH_KEPT {
        at = slash(path.get(..PATH_KEPT).unwrap_or_default()).unwrap_or(0);
    }
    let name = path.get(at..).unwrap_or_default();
    (path.get(..at).unwrap_or_default(), name.strip_prefix(b"/").unwrap_or(name))
}

/// Those who created the most: who is not among them takes the place of the
/// least, with its count, so that who created most is always among them.
#[derive(Clone, Debug, Default)]
struct Makers([Option<(ProcessKey, u64)>; MAKERS]);

impl Makers {
    fn add(&mut self, key: ProcessKey, files: u64) {
        let mut least: Option<&mut Option<(ProcessKey, u64)>> = None;
        for slot in &mut self.0 {
            match slot {
                Some((of, count)) if *of == key => {
                    *count = count.saturating_add(files);
                    return;
                }
                _ => {}
            }
            let count = |slot: &Option<(ProcessKey, u64)>| slot.map_or(0, |(_, count)| count);
            if least.as_ref().is_none_or(|least| count(slot) < count(least)) {
                least = Some(slot);
            }
        }
        if let Some(slot) = least {
            let before = slot.map_or(0, |(_, count)| count);
            *slot = Some((key, before.saturating_add(files)));
        }
    }

    /// What was long ago counts less and less.
    fn fade(&mut self, parts: u64) {
        for _ in 0..parts.min(SPAN) {
            for (_, count) in self.0.iter_mut().flatten() {
                *count -= *count / 8;
            }
        }
    }
}

/// A few of the names.
#[derive(Clone, Debug, Default)]
struct Names {
    first: Vec<u8>,
    latest: [Vec<u8>; LATEST],
    turn: usize,
}

impl Names {
    fn add(&mut self, name: &[u8]) {
        let place = match self.first.is_empty() {
            true => Some(&mut self.first),
            false => {
                self.turn = (self.turn + 1) % LATEST;
                self.latest.get_mut(self.turn)
            }
        };
        if let Some(place) = place {
            place.clear();
            place.extend_from_slice(name);
        }
    }

    fn clear(&mut self) {
        self.first.clear();
        self.latest.iter_mut().for_each(Vec::clear);
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let all = std::iter::once(&self.first).chain(&self.latest);
        all.map(Vec::as_slice).filter(|name| !name.is_empty())
    }
}

/// One folder's own files: those in it, and those of folders below it that have
/// become part of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    path: Vec<u8>,
    window: Window,
    makers: Makers,
    names: Names,
    /// The first and the last creation since there was none in the window; 0
    /// while there is none.
    pub(super) first_ns: u64,
    pub(super) last_ns: u64,
}

impl Folder {
    pub(super) fn path(&self) -> &[u8] {
        &self.path
    }

    pub(super) fn sum(&self) -> (Counts, Option<u64>) {
        self.window.sum()
    }

    pub(super) fn part(&mut self, part: u64) -> Option<&mut Counts> {
        self.window.part(part)
    }

    /// Time goes on.
    pub(super) fn advance(&mut self, part: u64) {
        let by = self.window.advance(part);
        if by > 0 {
            self.makers.fade(by);
            if self.window.sum().0.created == 0 {
                self.forget();
            }
        }
    }

    /// Nothing of it is in the window.
    pub(super) fn forget(&mut self) {
        self.window.clear();
        self.makers = Makers::default();
        self.names.clear();
        (self.first_ns, self.last_ns) = (0, 0);
    }

    /// A file was created in it.
    pub(super) fn created(&mut self, name: &[u8], key: ProcessKey, ktime_ns: u64, part: u64) {
        self.advance(part);
        if let Some(counts) = self.window.part(part) {
            counts.created = counts.created.saturating_add(1);
        }
        self.makers.add(key, 1);
        self.names.add(name);
        // 0 stands for none.
        let ktime_ns = ktime_ns.max(1);
        if self.last_ns == 0 {
            self.first_ns = ktime_ns;
        }
        self.last_ns = self.last_ns.max(ktime_ns);
    }

    /// Files that were created in it are not there any more. Where it is not
    /// known when they were created, it was not long ago.
    pub(super) fn gone(&mut self, created_at: Option<u64>, files: u64, unlinks: u64, now: u64) {
        self.advance(now);
        let parts = created_at.map_or(now.saturating_sub(SPAN - 1)..=now, |part| part..=part);
        let (mut files, mut unlinks) = (files, unlinks);
        for part in parts.rev() {
            let Some(counts) = self.window.part(part) else { continue };
            let here = files.min(counts.kept());
            counts.gone += here;
            files -= here;
            if counts.created > 0 {
                counts.unlinked = counts.unlinked.saturating_add(std::mem::take(&mut unlinks));
            }
        }
    }

    /// Somebody tried to look at the content of a file in it.
    pub(super) fn looked_at(&mut self, could_be_read: bool, part: u64) {
        self.advance(part);
        let Some(counts) = self.window.part(part) else { return };
        let count = if could_be_read { &mut counts.read } else { &mut counts.unread };
        *count = count.saturating_add(1);
    }

    pub(super) fn maker(&self) -> Option<(ProcessKey, u64)> {
        self.makers.0.iter().flatten().copied().max_by_key(|(_, count)| *count)
    }

    pub(super) fn makers(&self) -> impl Iterator<Item = (ProcessKey, u64)> {
        self.makers.0.iter().flatten().copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.names.iter()
    }

    /// Becomes the folder above; whether there is one.
    fn rise(&mut self) -> bool {
        if self.path.is_empty() {
            return false;
        }
        let at = self.path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let below = self.path.get(at..).unwrap_or_default();
        let below = below.strip_prefix(b"/").unwrap_or(below).to_vec();
        for name in std::iter::once(&mut self.names.first).chain(&mut self.names.latest) {
            if !name.is_empty() {
                name.splice(0..0, below.iter().copied().chain(*b"/"));
            }
        }
        self.path.truncate(at);
        true
    }

    fn join(&mut self, other: &Self) {
        self.window.join(&other.window);
        other.makers().for_each(|(key, files)| self.makers.add(key, files));
        other.names().for_each(|name| self.names.add(name));
        if other.last_ns > 0 {
            let first_ns = if self.last_ns == 0 { u64::MAX } else { self.first_ns };
            self.first_ns = first_ns.min(other.first_ns);
            self.last_ns = self.last_ns.max(other.last_ns);
        }
    }
}

/// The folders.
#[derive(Debug)]
pub(super) struct Folders {
    most: usize,
    all: Vec<Folder>,
    by_path: FxHashMap<u64, usize>,
    /// Memory for the next one.
    spare: Vec<Folder>,
}

impl Folders {
    /// A table of at most `most` folders.
    pub(super) fn new(most: usize) -> Self {
        Self { most, all: Vec::new(), by_path: FxHashMap::default(), spare: Vec::new() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Folder> {
        self.all.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Folder> {
        self.all.iter_mut()
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Folder> {
        self.all.get_mut(place)
    }

    /// Whether this place is this folder's.
    pub(super) fn is_at(&self, path: &[u8], place: usize) -> bool {
        self.all.get(place).is_some_and(|folder| folder.path == path)
    }

    fn find(&self, path: &[u8]) -> Option<usize> {
        let place = *self.by_path.get(&xxh3_64(path))?;
        self.is_at(path, place).then_some(place)
    }

    /// The folder, or the next one above it that is known.
    pub(super) fn nearest(&self, path: &[u8]) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(place) = self.find(path) {
                return Some(place);
            }
            if path.is_empty() {
                return None;
            }
            let at = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            path = path.get(..at).unwrap_or_default();
        }
    }

    /// The folder, which is known from now on.
    pub(super) fn enter(&mut self, path: &[u8], part: u64) -> usize {
        if let Some(place) = self.find(path) {
            return place;
        }
        if self.all.len() >= self.most {
            self.make_room(part);
        }
        let mut folder = self.spare.pop().unwrap_or_default();
        folder.path.clear();
        folder.path.extend_from_slice(path);
        folder.window.begin(part);
        self.all.push(folder);
        let place = self.all.len() - 1;
        self.by_path.insert(xxh3_64(path), place);
        place
    }

    /// Lets go of folders without files; where that is not enough, the smaller
    /// half becomes part of the folders above, again and again.
    fn make_room(&mut self, part: u64) {
        self.all.iter_mut().for_each(|folder| folder.advance(part));
        self.release(|folder| folder.last_ns == 0);
        while self.all.len() > self.most / 2 {
            // The root cannot rise, so it is never in the way.
            self.all.sort_by_key(|folder| (folder.path.is_empty(), folder.sum().0.created));
            let half = self.all.len().div_ceil(2);
            let mut rose = false;
            for folder in self.all.iter_mut().take(half) {
                rose |= folder.rise();
            }
            self.join_equal();
            if !rose {
                break;
            }
        }
        self.by_path.clear();
        for (place, folder) in self.all.iter().enumerate() {
            self.by_path.insert(xxh3_64(&folder.path), place);
        }
    }

    fn release(&mut self, is_empty: impl Fn(&Folder) -> bool) {
        let mut place = 0;
        while let Some(folder) = self.all.get(place) {
            if is_empty(folder) {
                let mut folder = self.all.swap_remove(place);
                folder.forget();
                self.spare.push(folder);
            } else {
                place += 1;
            }
        }
    }

    fn join_equal(&mut self) {
        self.by_path.clear();
        let mut place = 0;
        while let Some(folder) = self.all.get(place) {
            match self.by_path.entry(xxh3_64(&folder.path)) {
                Entry::Vacant(entry) => {
                    entry.insert(place);
                    place += 1;
                }
                Entry::Occupied(entry) => {
                    let into = *entry.get();
                    let mut folder = self.all.swap_remove(place);
                    if let Some(into) = self.all.get_mut(into) {
                        into.join(&folder);
                    }
                    folder.forget();
                    self.spare.push(folder);
                }
            }
        }
    }

    /// Forgets all that was counted.
    pub(super) fn clear(&mut self) {
        self.release(|_| true);
        self.by_path.clear();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: ProcessKey = ProcessKey { tgid: 7, start_time: 1 };

    fn create(folders: &mut Folders, path: &str, key: ProcessKey) {
        let (folder, name) = split(path.as_bytes());
        let place = folders.enter(folder, 100);
        folders.get_mut(place).unwrap().created(name, key, 5, 100);
    }

    #[test]
    fn a_path_is_its_folder_and_its_name() {
        assert_eq!(split(b"/a/b/c"), (b"/a/b".as_slice(), b"c".as_slice()));
        assert_eq!(split(b"/c"), (b"".as_slice(), b"c".as_slice()));
        assert_eq!(split(b"c"), (b"".as_slice(), b"c".as_slice()));
        let deep = format!("/{}/{}/x", "a".repeat(300), "b".repeat(300));
        let (folder, name) = split(deep.as_bytes());
        assert_eq!((folder.len(), name.len()), (301, 302));
    }

    #[test]
    fn small_folders_become_part_of_the_one_above_and_big_ones_stay() {
        let mut folders = Folders::new(8);
        for number in 0..1000 {
            create(&mut folders, &format!("/out/{number}/x.json"), KEY);
            create(&mut folders, "/big/y", KEY);
        }
        let files = |path: &str| {
            let below = folders.iter().filter(|folder| folder.path.starts_with(path.as_bytes()));
            below.map(|folder| folder.sum().0.created).sum::<u64>()
        };
        assert_eq!((files("/out"), files("/big")), (1000, 1000));
        let out = folders.nearest(b"/out/5/deeper").unwrap();
        let names: Vec<_> = folders.all[out].names().map(String::from_utf8_lossy).collect();
        assert!(names.iter().all(|name| name.ends_with("/x.json")), "{names:?}");
    }

    #[test]
    fn who_created_most_is_known_among_many() {
        let mut folders = Folders::new(8);
        for number in 0..300 {
            create(&mut folders, "/a/x", ProcessKey { tgid: 100 + number, start_time: 1 });
            create(&mut folders, "/a/x", KEY);
        }
        let place = folders.find(b"/a").unwrap();
        assert_eq!(folders.all[place].maker().unwrap().0, KEY);
    }

    proptest! {
        /// However many folders there are, their number is bounded and no file
        /// is lost or counted twice.
        #[test]
        fn the_sum_stays_right(
            paths in proptest::collection::vec("(/[a-e]{1,2}){1,5}", 1..300), most in 2..20_usize,
        ) {
            let mut folders = Folders::new(most);
            for path in &paths {
                create(&mut folders, path, KEY);
                prop_assert!(folders.all.len() <= most);
            }
            let sum: u64 = folders.iter().map(|folder| folder.sum().0.created).sum();
            prop_assert_eq!(sum, paths.len() as u64);
            for folder in folders.iter() {
                prop_assert_eq!(folders.find(&folder.path).is_some(), true);
            }
        }
    }
}
