//! A program or a library as a file that can be taken apart.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::{
        fd::AsRawFd as _,
        unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use super::elf;
use crate::model::BuildId;

/// A larger file that others can write to is not copied, and so not read.
const COPY_MAX: u64 = 256 << 20;
/// Sections that send a reader to other files.
const LINKS: [&[u8]; 3] = [b".gnu_debuglink", b".gnu_debugaltlink", b".debug_sup"];

/// A program or a library.
#[derive(Debug)]
pub(super) struct Object {
    file: File,
    /// Its path as a person knows it.
    pub(super) path: PathBuf,
    /// Its debug information may be read: it leads to nowhere that its owner
    /// chose.
    pub(super) has_safe_links: bool,
    /// It is a copy in memory.
    pub(super) is_copy: bool,
}

impl Object {
    /// A file that has this build id; `None` where it has another, or cannot be
    /// read.
    ///
    /// Makes sure that nobody can cut the file short while it is mapped: that
    /// would end this process by SIGBUS. A file that only root writes to is
    /// taken as it is, any other is copied.
    pub(super) fn of(file: File, path: &Path, build_id: BuildId) -> Option<Self> {
        if elf::build_id(&file)? != build_id {
            return None;
        }
        let metadata = file.metadata().ok()?;
        if metadata.uid() == 0 && metadata.mode() & 0o022 == 0 {
            return Some(Self { file, path: path.into(), has_safe_links: true, is_copy: false });
        }
        let file = copy(file, COPY_MAX).ok()?;
        let has_safe_links = elf::has_section(&file, &LINKS) == Some(false);
        // Somebody else's file may have changed meanwhile.
        (elf::build_id(&file)? == build_id).then(|| Self {
            file,
            path: path.into(),
            has_safe_links,
            is_copy: true,
        })
    }

    /// A path that leads to this very file as long as `self` lives.
    pub(super) fn open_path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.file.as_raw_fd()).into()
    }
}

/// Opens a file; `None` for what is no plain one.
pub(super) fn open(way: &Path) -> Option<File> {
    // A FIFO in the place of a program must not make us wait.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(way).ok()?;
    file.metadata().ok()?.is_file().then_some(file)
}

/// A copy that nobody can change.
fn copy(mut from: File, max: u64) -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut to = File::from(memfd_create("genome-trace-symbols", flags)?);
    from.seek(SeekFrom::Start(0))?;
    // It may grow while it is read.
    let copied = io::copy(&mut from.take(max + 1), &mut to)?;
    if copied > max {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    fcntl_add_seals(&to, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    Ok(to)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_copy_is_the_same_and_cannot_be_changed() {
        let mut original = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..3_000_001_u32).map(|number| (number % 251) as u8).collect();
        original.write_all(&bytes).unwrap();
        let mut copied = copy(original, bytes.len() as u64).unwrap();
        let mut found = Vec::new();
        copied.seek(SeekFrom::Start(0)).unwrap();
        copied.read_to_end(&mut found).unwrap();
        assert!(found == bytes);
        assert!(copied.set_len(0).is_err());
        assert!(copied.write_all(b"x").is_err());
    }

    #[test]
    fn what_is_too_large_is_not_copied() {
        let original = tempfile::tempfile().unwrap();
        original.set_len(4097).unwrap();
        assert_eq!(copy(original, 4096).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_file_of_another_build_id_is_not_taken() {
        let exe = std::env::current_exe().unwrap();
        let build_id = elf::build_id(&open(&exe).unwrap()).unwrap();
        assert_eq!(Object::of(open(&exe).unwrap(), &exe, build_id).unwrap().path, exe);
        assert!(Object::of(open(&exe).unwrap(), &exe, BuildId([9; 20])).is_none());
        assert!(open(Path::new("/dev/null")).is_none());
        assert!(open(Path::new("/")).is_none());
    }
}
