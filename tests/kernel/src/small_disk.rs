//! A file system with little room, for a store that runs out of it.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::Context as _;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tempfile::TempDir;

use crate::{Context, Unsupported};

/// A small file system in memory that goes with this value.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Makes one of so many MiB.
    pub fn new(context: &Context, mib: u32) -> anyhow::Result<Self> {
        let folder = context.folder()?;
        let options = CString::new(format!("size={mib}m")).context("name a size")?;
        mount("tmpfs", folder.path(), "tmpfs", MountFlags::empty(), Some(options.as_c_str()))
            .map_err(|error| Unsupported(format!("cannot mount a file system: {error}")))?;
        Ok(Self { folder })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all room that there is; it is there again when the file goes.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut ballast = File::create(self.ballast()).context("create a file")?;
        let piece = [1; 16 << 10];
        loop {
            match ballast.write_all(&piece) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).context("fill a file system"),
            }
        }
    }

    /// Gives the room back.
    pub fn empty(&self) -> anyhow::Result<()> {
        fs::remove_file(self.ballast()).context("empty a file system")
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = unmount(self.folder.path(), UnmountFlags::DETACH);
    }
}
