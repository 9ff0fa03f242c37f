//! A listening socket that has a file (unix(7)).

use std::{
    ffi::OsString,
    fmt,
    fs::{self, Permissions},
    io::{self, ErrorKind},
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process,
};

/// Who may connect: the owner and the group.
const MODE: u32 = 0o660;
const FOLDER_MODE: u32 = 0o755;

/// A socket's file, which is removed with this value.
#[derive(Debug)]
pub struct LocalSocket {
    path: PathBuf,
    /// Device and inode, so that a successor's file is left alone.
    file: (u64, u64),
}

/// Why nothing listens.
#[derive(Debug)]
pub enum ListenFailure {
    /// Somebody listens there already.
    Served,
    /// Something is there that is no socket.
    NoSocket,
    /// The system refuses.
    Refused(io::Error),
}

impl fmt::Display for ListenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Served => f.write_str("another recorder listens there"),
            Self::NoSocket => f.write_str("there is a file that is no socket"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ListenFailure {}

impl From<io::Error> for ListenFailure {
    fn from(error: io::Error) -> Self {
        Self::Refused(error)
    }
}

impl LocalSocket {
    /// Listens at `path`, for its owner and the members of `group`: that of
    /// this process where none is given. Its folder is made where it is not
    /// there; the file of somebody who is dead is replaced. The listener does
    /// not wait (`O_NONBLOCK`).
    ///
    /// # Errors
    /// Somebody listens there, something else is there, or the system refuses.
    pub fn listen(path: &Path, group: Option<u32>) -> Result<(Self, UnixListener), ListenFailure> {
        make_folder(path)?;
        require_nobody(path)?;
        // Under another name first, so that nobody ever meets a file with
        // other permissions, or none.
        let mut unfinished = OsString::from(path);
        unfinished.push(format!(".{}", process::id()));
        let unfinished = PathBuf::from(unfinished);
        let made = Self::make(path, &unfinished, group);
        if made.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        Ok(made?)
    }

    fn make(
        path: &Path,
        unfinished: &Path,
        group: Option<u32>,
    ) -> io::Result<(Self, UnixListener)> {
        let listener = UnixListener::bind(unfinished)?;
        listener.set_nonblocking(true)?;
        if group.is_some() {
            chown(unfinished, None, group)?;
        }
        fs::set_permissions(unfinished, Permissions::from_mode(MODE))?;
        let metadata = fs::symlink_metadata(unfinished)?;
        fs::rename(unfinished, path)?;
        let file = (metadata.dev(), metadata.ino());
        Ok((Self { path: path.to_owned(), file }, listener))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.file);
        if is_ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) else {
        return Ok(());
    };
    match fs::create_dir(folder) {
        // Whoever may not connect is to be told so by the socket.
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn require_nobody(path: &Path) -> Result<(), ListenFailure> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(found) if !found.file_type().is_socket() => return Err(ListenFailure::NoSocket),
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(ListenFailure::Served),
        Err(error) => match error.kind() {
            // The file of somebody who is dead, or is just gone.
            ErrorKind::ConnectionRefused | ErrorKind::NotFound => Ok(()),
            _ => Err(error.into()),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_and_the_group_may_connect_and_the_file_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/recorder.sock");
        let (socket, listener) = LocalSocket::listen(&path, None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, MODE);
        UnixStream::connect(&path).unwrap();
        listener.accept().unwrap();
        let names = fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(names.count(), 1);
        assert_eq!(socket.path(), path);
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn one_that_is_served_is_left_alone_and_a_dead_one_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recorder.sock");
        let (first, listener) = LocalSocket::listen(&path, None).unwrap();
        let second = LocalSocket::listen(&path, None);
        assert!(matches!(second, Err(ListenFailure::Served)), "{second:?}");
        // As a kill leaves it: nobody listens, and the file is there.
        drop(listener);
        let (second, _listener) = LocalSocket::listen(&path, None).unwrap();
        drop(first);
        assert!(path.exists(), "the successor's file was removed");
        UnixStream::connect(&path).unwrap();
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recorder.sock");
        fs::write(&path, "precious").unwrap();
        let refused = LocalSocket::listen(&path, None);
        assert!(matches!(refused, Err(ListenFailure::NoSocket)), "{refused:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }
}
