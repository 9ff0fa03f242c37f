//! Copies from another file inside the kernel.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Result;

/// A file whose first bytes every call copies.
pub(in crate::load) struct Source {
    file: File,
    path: Option<PathBuf>,
}

impl Source {
    /// A file that has no path.
    pub(super) fn in_memory(content: &[u8]) -> anyhow::Result<Self> {
        let mut file = File::from(memfd_create("source", MemfdFlags::CLOEXEC)?);
        file.write_all(content).context("fill the memory file")?;
        Ok(Self { file, path: None })
    }

    /// A file on the same file system as `path`.
    pub(super) fn beside(path: &Path, content: &[u8]) -> anyhow::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".source");
        let path = PathBuf::from(name);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .with_context(|| format!("create {}", path.display()))?;
        file.write_all(content).with_context(|| format!("fill {}", path.display()))?;
        Ok(Self { file, path: Some(path) })
    }

    pub(super) fn sendfile(&self, to: &File, bytes: u32) -> Result<usize> {
        let mut from_offset = 0;
        rustix::fs::sendfile(to, &self.file, Some(&mut from_offset), bytes as usize)
    }

    pub(super) fn copy_file_range(&self, to: &File, offset: u64, bytes: u32) -> Result<usize> {
        let (mut from_offset, mut to_offset) = (0, offset);
        rustix::fs::copy_file_range(
            &self.file,
            Some(&mut from_offset),
            to,
            Some(&mut to_offset),
            bytes as usize,
        )
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // A source that stays behind harms nobody.
            let _ = fs::remove_file(path);
        }
    }
}
