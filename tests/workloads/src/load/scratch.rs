//! Folders and files that a workload makes and takes away again.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// A folder that was there before, or that goes when this value does.
pub(crate) struct Folder {
    path: PathBuf,
    ours: bool,
}

impl Folder {
    /// The folder at `path`, made if it is not there; its parents must be.
    pub(crate) fn at(path: &Path, keep: bool) -> anyhow::Result<Self> {
        let made = match fs::create_dir(path) {
            Ok(()) => true,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
            Err(error) => {
                return Err(error).with_context(|| format!("make folder {}", path.display()));
            }
        };
        let path =
            fs::canonicalize(path).with_context(|| format!("resolve folder {}", path.display()))?;
        Ok(Self { path, ours: made && !keep })
    }

    /// A new folder of this process under the system's temporary folder.
    pub(crate) fn temporary(purpose: &str) -> anyhow::Result<Self> {
        let name = format!("genome-trace-{purpose}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).with_context(|| format!("make folder {}", path.display()))?;
        Ok(Self { path, ours: true })
    }

    /// The folder's absolute path with no link in it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.ours {
            // What cannot be removed is left: the work itself is done and told.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Removes a file that the workload made, unless it shall stay. What is no
/// regular file, `/dev/null` for instance, it did not make.
pub(crate) fn remove_file(path: &Path, keep: bool) -> anyhow::Result<()> {
    let is_device = path.metadata().is_ok_and(|file| !file.is_file());
    if keep || is_device {
        return Ok(());
    }
    fs::remove_file(path).with_context(|| format!("remove {}", path.display()))
}

/// Makes the file anew and gives its absolute path with no link in it.
pub(crate) fn empty_file(path: &Path) -> anyhow::Result<PathBuf> {
    fs::File::create(path).with_context(|| format!("create {}", path.display()))?;
    fs::canonicalize(path).with_context(|| format!("resolve {}", path.display()))
}
