//! Where a store lies, and the files that belong to it.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::model::WallTime;

/// The file's name where only a folder is named.
const FILE_NAME: &str = "genome-trace.db";

/// The files of one store. A path that ends in `.db` is the file itself, any
/// other the folder that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    file: PathBuf,
}

impl Place {
    /// The store that a path of the command line or the configuration means.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        if path.extension().is_some_and(|end| end == "db") {
            Self { file: path.to_owned() }
        } else {
            Self { file: path.join(FILE_NAME) }
        }
    }

    /// The database.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The folder that it is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self.file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    /// Which file its name leads to now, by device and inode: one that is set
    /// aside keeps its own.
    pub(super) fn identity(&self) -> io::Result<(u64, u64)> {
        let metadata = fs::metadata(&self.file)?;
        Ok((metadata.dev(), metadata.ino()))
    }

    /// What the one who writes holds a lock on. A file of its own: SQLite's
    /// locks on the database go when any descriptor of that is closed.
    pub(super) fn lock(&self) -> PathBuf {
        self.beside("-lock")
    }

    /// The write-ahead log.
    pub(super) fn wal(&self) -> PathBuf {
        self.beside("-wal")
    }

    /// The database and what SQLite keeps beside it, each with its name after
    /// it was set aside: `genome-trace.db.corrupt-20261120T113135Z`.
    pub(super) fn aside(&self, now: WallTime, attempt: u32) -> [(PathBuf, PathBuf); 3] {
        let time = jiff::Timestamp::from_nanosecond(now.unix_ns.into()).map_or_else(
            |_| now.unix_ns.to_string(),
            |at| at.strftime("%Y%m%dT%H%M%SZ").to_string(),
        );
        let mut name = format!(".corrupt-{time}");
        if attempt > 0 {
            name.push_str(&format!("-{attempt}"));
        }
        ["", "-wal", "-shm"].map(|end| (self.beside(end), self.beside(&format!("{name}{end}"))))
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(end);
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_or_a_file() {
        let place = Place::new(Path::new("/var/lib/genome-trace"));
        assert_eq!(place.file(), Path::new("/var/lib/genome-trace/genome-trace.db"));
        assert_eq!(place.folder(), Path::new("/var/lib/genome-trace"));
        let place = Place::new(Path::new("copy.db"));
        assert_eq!(place.file(), Path::new("copy.db"));
        assert_eq!(place.folder(), Path::new("."));
    }

    #[test]
    fn names_of_what_is_set_aside() {
        let place = Place::new(Path::new("/s/a.db"));
        let now = WallTime { unix_ns: 1_000_000_000 };
        let [(file, aside), (wal, wal_aside), _] = place.aside(now, 0);
        assert_eq!(file, Path::new("/s/a.db"));
        assert_eq!(aside, Path::new("/s/a.db.corrupt-19700101T000001Z"));
        assert_eq!(wal, Path::new("/s/a.db-wal"));
        // SQLite finds the log of a database by this name.
        assert_eq!(wal_aside, Path::new("/s/a.db.corrupt-19700101T000001Z-wal"));
        let [(_, second), ..] = place.aside(now, 1);
        assert_eq!(second, Path::new("/s/a.db.corrupt-19700101T000001Z-1"));
    }
}
