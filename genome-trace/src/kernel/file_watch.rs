//! Waiting for files to change (inotify(7)).

use std::{
    ffi::{OsStr, OsString},
    io,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    fs::inotify::{self, CreateFlags, WatchFlags},
    io::Errno,
};
use tokio::io::unix::AsyncFd;

/// Tells when one of some files was written, put in place, or removed.
///
/// Their folders are watched, since editors write a new file and rename it
/// over the old one. A folder that does not exist when the watch begins is not
/// watched.
pub struct FileWatch {
    inotify: AsyncFd<OwnedFd>,
    names: Vec<OsString>,
}

impl FileWatch {
    /// Begins. Must be called inside the event loop.
    ///
    /// # Errors
    /// The system's limit on watches or descriptors.
    pub fn new(files: &[PathBuf]) -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let changes = WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::ONLYDIR;
        let mut names = Vec::new();
        for file in files {
            let folder = match file.parent() {
                Some(folder) if folder != Path::new("") => folder,
                _ => Path::new("."),
            };
            match inotify::add_watch(&inotify, folder, changes) {
                Ok(_) => names.extend(file.file_name().map(OsStr::to_owned)),
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // SAFETY: the descriptor is moved in, so it stays open and the same
        // until the `AsyncFd` closes it.
        let inotify = unsafe { AsyncFd::register(inotify) }?;
        Ok(Self { inotify, names })
    }

    /// Ready when one of the files may have changed.
    ///
    /// # Errors
    /// The kernel's refusal to tell.
    pub async fn changed(&mut self) -> io::Result<()> {
        loop {
            let mut ready = self.inotify.readable().await?;
            ready.clear_ready();
            if self.take_changes()? {
                return Ok(());
            }
        }
    }

    /// Reads what waits; tells whether any of it is about one of the files.
    fn take_changes(&self) -> io::Result<bool> {
        let mut room = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(self.inotify.get_ref(), &mut room);
        let mut concerns_us = false;
        loop {
            match reader.next() {
                // No name: the queue ran over, and anything may have changed.
                Ok(event) => {
                    concerns_us |= event.file_name().is_none_or(|name| {
                        let name = OsStr::from_bytes(name.to_bytes());
                        self.names.iter().any(|ours| ours == name)
                    });
                }
                Err(Errno::AGAIN) => return Ok(concerns_us),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    #[test]
    fn a_file_that_is_renamed_over_is_noticed_and_another_is_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = std::env::temp_dir().join(format!("genome-trace-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("personas.toml");
        runtime.block_on(async {
            let mut watch = FileWatch::new(&[file.clone(), folder.join("no/such/folder")]).unwrap();
            fs::write(folder.join("new"), "x").unwrap();
            let nothing = tokio::time::timeout(Duration::from_millis(50), watch.changed()).await;
            assert!(nothing.is_err());
            fs::rename(folder.join("new"), &file).unwrap();
            watch.changed().await.unwrap();
            fs::write(&file, "y").unwrap();
            watch.changed().await.unwrap();
        });
        fs::remove_dir_all(&folder).unwrap();
    }
}
