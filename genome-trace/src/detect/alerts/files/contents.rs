//! The same content again and again: which files are to be looked at, and what
//! follows from what was found in them.
//!
//! Files are looked at in another thread, so many a second at most: of a storm
//! it is a sample. What could not be looked at is left out.

use super::folders::split;
use crate::model::{FileContent, FileCreate, FileRead, FileToRead, ProcessKey};

/// Contents that are told apart of one persona.
const CONTENTS: usize = 64;
/// Names that are kept of one content: the first ones and the latest.
const NAMES: usize = 5;
/// So long after its creation a file is looked at: it is to be written first.
const RIPE_NS: u64 = 500_000_000;
/// Longer paths are not looked at.
const PATH_READ: usize = 1024;

/// Files that wait to be looked at.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// With when they were created; the memory of the rest is kept.
    waiting: Vec<(u64, FileToRead)>,
    used: usize,
    /// How many may still be added in this second.
    room: usize,
    second: u64,
    ready: usize,
}

impl Wishes {
    /// Time goes on: files that have waited for long enough are ready.
    pub(super) fn tick(&mut self, now_ns: u64, a_second: usize) {
        let second = now_ns / 1_000_000_000;
        if second != self.second {
            self.second = second;
            self.room = a_second;
        }
        let waiting = self.waiting.get(..self.used).unwrap_or_default();
        self.ready = waiting
            .iter()
            .take_while(|(since, _)| now_ns.saturating_sub(*since) >= RIPE_NS)
            .count();
    }

    /// A file was created.
    pub(super) fn created(
        &mut self,
        asked_by: u64,
        creator: ProcessKey,
        create: &FileCreate<'_>,
        now_ns: u64,
    ) {
        let Some(path) = create.path else { return };
        if self.room == 0 || create.path_truncated || path.len() > PATH_READ {
            return;
        }
        self.room -= 1;
        if self.used == self.waiting.len() {
            self.waiting.push((0, FileToRead::default()));
        }
        let Some((since, file)) = self.waiting.get_mut(self.used) else { return };
        self.used += 1;
        *since = now_ns;
        file.asked_by = asked_by;
        file.creator = Some(creator);
        file.path.clear();
        file.path.extend_from_slice(path);
        (file.device, file.inode) = (create.device, create.inode);
    }

    /// The next one that is to be looked at.
    pub(super) fn next(&mut self) -> Option<FileToRead> {
        if self.ready == 0 {
            return None;
        }
        self.ready -= 1;
        self.used -= 1;
        // The order is kept: those that are ready stand in front.
        Some(self.waiting.remove(0).1)
    }

    /// Nobody looks: those that are ready are dropped, and their memory goes to
    /// later ones.
    pub(super) fn drop_ready(&mut self) {
        let ready = self.ready.min(self.used);
        if let Some(waiting) = self.waiting.get_mut(..self.used) {
            waiting.rotate_left(ready);
        }
        self.used -= ready;
        self.ready = 0;
    }
}

/// Files that have a content in common.
#[derive(Clone, Debug)]
pub(super) struct Equal {
    content: FileContent,
    pub(super) files: u64,
    first_ns: u64,
    pub(super) last_ns: u64,
    /// The deepest folder below which all of them are.
    pub(super) folder: Vec<u8>,
    /// By which its alert is told from others.
    pub(super) cause: Option<String>,
    pub(super) creator: Option<ProcessKey>,
    /// Full paths.
    names: Vec<Vec<u8>>,
    /// How many had been told.
    pub(super) told: u64,
}

impl Equal {
    /// Full paths of a few of them.
    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.names.iter().map(Vec::as_slice)
    }
}

/// What one persona's files have in them.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents(Vec<Equal>);

impl Contents {
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Equal> {
        self.0.iter_mut()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// A file was looked at.
    pub(super) fn read(&mut self, read: &FileRead, now_ns: u64, window_ns: u64) {
        let Ok(content) = read.found else { return };
        if content.size == 0 {
            return;
        }
        let (folder, _) = split(&read.file.path);
        let is_over = |equal: &Equal| now_ns.saturating_sub(equal.first_ns) > window_ns;
        let place = match self.0.iter().position(|equal| equal.content == content) {
            Some(place) => place,
            None if self.0.len() < CONTENTS => {
                self.0.push(Equal::new(content, folder, now_ns));
                self.0.len() - 1
            }
            None => {
                // What was seen least, and of that what was not seen for longest.
                let least = |(_, equal): &(usize, &Equal)| {
                    (if is_over(equal) { 0 } else { equal.files }, equal.last_ns)
                };
                let Some((place, _)) = self.0.iter().enumerate().min_by_key(least) else { return };
                if let Some(equal) = self.0.get_mut(place) {
                    *equal = Equal::new(content, folder, now_ns);
                }
                place
            }
        };
        let Some(equal) = self.0.get_mut(place) else { return };
        if is_over(equal) {
            *equal = Equal { cause: equal.cause.take(), ..Equal::new(content, folder, now_ns) };
        }
        equal.files = equal.files.saturating_add(1);
        equal.last_ns = now_ns;
        equal.creator = read.file.creator.or(equal.creator);
        equal.folder.truncate(common_folder(&equal.folder, folder));
        if equal.names.len() == NAMES {
            equal.names.remove(NAMES / 2);
        }
        equal.names.push(read.file.path.clone());
    }
}

impl Equal {
    fn new(content: FileContent, folder: &[u8], now_ns: u64) -> Self {
        Self {
            content,
            files: 0,
            first_ns: now_ns,
            last_ns: now_ns,
            folder: folder.to_vec(),
            cause: None,
            creator: None,
            names: Vec::new(),
            told: 0,
        }
    }
}

/// How long the folder is that both are below of.
fn common_folder(a: &[u8], b: &[u8]) -> usize {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let ends = |path: &[u8]| path.get(same).is_none_or(|byte| *byte == b'/');
    if ends(a) && ends(b) {
        return same;
    }
    a.get(..same).unwrap_or_default().iter().rposition(|byte| *byte == b'/').unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(path: &str, hash: u64, size: u64) -> FileRead {
        let file = FileToRead { path: path.as_bytes().to_vec(), ..FileToRead::default() };
        FileRead { file, found: Ok(FileContent { hash, size }) }
    }

    #[test]
    fn the_folder_that_paths_have_in_common() {
        for (a, b, wanted) in [
            ("/a/b", "/a/b", "/a/b"),
            ("/a/b", "/a/bc", "/a"),
            ("/a/b/c", "/a/b", "/a/b"),
            ("/a", "/b", ""),
            ("", "/b", ""),
        ] {
            assert_eq!(a.get(..common_folder(a.as_bytes(), b.as_bytes())).unwrap(), wanted);
        }
    }

    #[test]
    fn equal_files_are_counted_and_empty_ones_are_not() {
        let mut contents = Contents::default();
        for number in 0..12 {
            contents.read(&read(&format!("/out/{number}/x"), 7, 100), number, 1000);
            contents.read(&read(&format!("/out/{number}/empty"), 0, 0), number, 1000);
            contents.read(&read(&format!("/out/{number}/y"), number, 100 + number), number, 1000);
        }
        let equal = contents.0.iter().find(|equal| equal.files > 1).unwrap();
        assert_eq!((equal.files, equal.folder.as_slice()), (12, b"/out".as_slice()));
        assert_eq!(equal.names().next().unwrap(), b"/out/0/x");
        assert_eq!(equal.names().last().unwrap(), b"/out/11/x");
        assert_eq!(equal.names.len(), NAMES);
    }

    #[test]
    fn a_window_later_it_begins_anew() {
        let mut contents = Contents::default();
        contents.read(&read("/a", 7, 1), 0, 1000);
        contents.read(&read("/b", 7, 1), 1000, 1000);
        assert_eq!(contents.0.first().unwrap().files, 2);
        contents.read(&read("/c", 7, 1), 1001, 1000);
        assert_eq!(contents.0.first().unwrap().files, 1);
    }

    #[test]
    fn however_many_contents_there_are_the_frequent_one_stays() {
        let mut contents = Contents::default();
        for number in 0..10_000 {
            contents.read(&read("/a", 1_000 + number, 1), number, 100_000);
            if number % 10 == 0 {
                contents.read(&read("/b", 7, 1), number, 100_000);
            }
        }
        assert!(contents.0.len() <= CONTENTS);
        assert_eq!(contents.0.iter().map(|equal| equal.files).max(), Some(1000));
    }

    #[test]
    fn files_are_looked_at_when_they_are_ripe_and_not_more_than_so_many_a_second() {
        let mut wishes = Wishes::default();
        let key = ProcessKey { tgid: 1, start_time: 1 };
        let create =
            FileCreate { path: Some(b"/x"), path_truncated: false, device: (0, 1), inode: 2 };
        wishes.tick(10_000_000_000, 3);
        for _ in 0..5 {
            wishes.created(0, key, &create, 10_100_000_000);
        }
        assert_eq!(wishes.next(), None);
        wishes.tick(10_700_000_000, 3);
        assert_eq!(std::iter::from_fn(|| wishes.next()).count(), 3);
        wishes.created(0, key, &create, 10_800_000_000);
        wishes.tick(12_000_000_000, 3);
        assert_eq!(wishes.next(), None);
        wishes.created(0, key, &create, 12_000_000_000);
        wishes.tick(13_000_000_000, 3);
        wishes.drop_ready();
        assert_eq!(wishes.next(), None);
    }
}
