//! What a file begins with, as a question and its answer.

use super::ProcessKey;

/// A file whose content is to be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileToRead {
    /// Who asks, for whoever gets the answer.
    pub asked_by: u64,
    /// Its path as its creator saw it. Where that is not the path that others
    /// see, device and inode differ.
    pub path: Vec<u8>,
    /// The process that created it.
    pub creator: Option<ProcessKey>,
    /// Device, `major:minor`.
    pub device: (u32, u32),
    /// Inode number.
    pub inode: u64,
}

/// What was found in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileContent {
    /// xxh3 of its first KiB.
    pub hash: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// Why a file was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRead {
    /// It is not there any more, or not under that path.
    Gone,
    /// Another file is there.
    Another,
    /// It is no regular file.
    NotRegular,
    /// The system refused.
    Refused,
}

/// The answer: the question comes back with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRead {
    /// What was asked.
    pub file: FileToRead,
    /// What was found.
    pub found: Result<FileContent, NotRead>,
}
