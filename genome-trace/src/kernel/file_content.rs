//! What a file begins with, looked at by a thread of its own: a file system may
//! take its time, or never answer.

use std::{
    io,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use rustix::{
    fd::{AsRawFd as _, OwnedFd},
    fs::{FileType, Mode, OFlags, fstat, major, minor, open},
    io::{Errno, read},
};
use xxhash_rust::xxh3::xxh3_64;

use crate::model::{FileContent, FileRead, FileToRead, NotRead};

/// Files that wait to be looked at; more are not taken.
const WAITING: usize = 256;
/// Of a file so much is read.
const READ_BYTES: usize = 1024;

/// Looks at the beginnings of files.
///
/// The thread is not waited for when this goes: it may hang in a file system.
/// It ends when it has looked at what was asked for.
pub struct ContentReader {
    ask: SyncSender<FileToRead>,
    answers: Receiver<FileRead>,
}

impl ContentReader {
    /// Begins.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start() -> io::Result<Self> {
        let (ask, asked) = sync_channel::<FileToRead>(WAITING);
        // Nobody may be there to take the answers: then there is no room, and
        // it waits until the channel's other end goes.
        let (answer, answers) = sync_channel(WAITING);
        thread::Builder::new().name("file-content".to_owned()).spawn(move || {
            while let Ok(file) = asked.recv() {
                let found = content(&file);
                if answer.send(FileRead { file, found }).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { ask, answers })
    }

    /// Lets a file be looked at; whether there is room.
    pub fn ask(&self, file: FileToRead) -> bool {
        self.ask.try_send(file).is_ok()
    }

    /// The next answer, where there is one.
    #[must_use]
    pub fn answer(&self) -> Option<FileRead> {
        self.answers.try_recv().ok()
    }
}

/// Looks at a file: at this very one, and only if it is a regular one. Neither
/// a link in its place is followed, nor a device or a pipe opened, and where
/// the system lets us, the time of its last access stays.
///
/// # Errors
/// Why it was not read.
pub fn content(file: &FileToRead) -> Result<FileContent, NotRead> {
    let place = open(
        file.path.as_slice(),
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|error| match error {
        Errno::NOENT | Errno::NOTDIR => NotRead::Gone,
        _ => NotRead::Refused,
    })?;
    let found = fstat(&place).map_err(|_| NotRead::Refused)?;
    let device = (major(found.st_dev), minor(found.st_dev));
    if (device, found.st_ino) != (file.device, file.inode) {
        return Err(NotRead::Another);
    }
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(NotRead::NotRegular);
    }
    let size = u64::try_from(found.st_size).map_err(|_| NotRead::Refused)?;
    let opened = reopened(&place).map_err(|_| NotRead::Refused)?;
    let mut bytes = [0; READ_BYTES];
    let mut len = 0;
    while let Some(room) = bytes.get_mut(len..).filter(|room| !room.is_empty()) {
        match read(&opened, room) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(Errno::INTR) => {}
            Err(_) => return Err(NotRead::Refused),
        }
    }
    Ok(FileContent { hash: xxh3_64(bytes.get(..len).unwrap_or_default()), size })
}

/// The file behind a place, to be read; the place cannot be exchanged meanwhile.
fn reopened(place: &OwnedFd) -> Result<OwnedFd, Errno> {
    let path = format!("/proc/self/fd/{}", place.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    match open(path.as_str(), flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => open(path.as_str(), flags, Mode::empty()),
        result => result,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{
        fs,
        os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
        path::Path,
        time::{Duration, Instant},
    };

    use super::*;

    fn asked(path: &Path) -> FileToRead {
        let found = fs::symlink_metadata(path).unwrap();
        FileToRead {
            asked_by: 7,
            path: path.as_os_str().as_bytes().to_vec(),
            creator: None,
            device: (major(found.dev()), minor(found.dev())),
            inode: found.ino(),
        }
    }

    #[test]
    fn files_with_the_same_beginning_and_size_are_equal() {
        let folder = tempfile::tempdir().unwrap();
        let find = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            content(&asked(&path)).unwrap()
        };
        let long = [b"x".repeat(READ_BYTES), b"one".to_vec()].concat();
        let other = [b"x".repeat(READ_BYTES), b"two".to_vec()].concat();
        assert_eq!(find("a", b"same"), find("b", b"same"));
        assert_ne!(find("a", b"same"), find("c", b"SAME"));
        assert_eq!(find("d", &long), find("e", &other));
        assert_ne!(find("d", &long), find("f", &long[..READ_BYTES]));
        assert_eq!(find("g", b"").size, 0);
    }

    #[test]
    fn no_other_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(content(&asked(&link)), Err(NotRead::NotRegular));
        assert_eq!(content(&asked(folder.path())), Err(NotRead::NotRegular));
        let question = asked(&file);
        assert_eq!(content(&FileToRead { inode: 1, ..question.clone() }), Err(NotRead::Another));
        fs::remove_file(&file).unwrap();
        assert_eq!(content(&question), Err(NotRead::Gone));
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(content(&asked(&pipe)), Err(NotRead::NotRegular));
    }

    #[test]
    fn a_thread_looks_and_the_question_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "x").unwrap();
        let reader = ContentReader::start().unwrap();
        assert!(reader.ask(asked(&path)));
        let begun = Instant::now();
        let read = loop {
            if let Some(read) = reader.answer() {
                break read;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "no answer");
            thread::yield_now();
        };
        assert_eq!((read.file, read.found.unwrap().size), (asked(&path), 1));
    }
}
