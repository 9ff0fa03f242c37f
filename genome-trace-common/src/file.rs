//! Files: how they are named in records, and the counts kept per process and
//! file.

use crate::RecordHeader;

/// Most bytes of path components that a record carries.
pub const PATH_MAX: usize = 4096;
/// Most components that the programs walk, mount points included.
pub const PATH_DEPTH_MAX: usize = 48;

/// The path was deeper or longer than the program walks: its leaf end is right.
pub const PATH_TRUNCATED: u32 = 1;
/// No path could be read.
pub const PATH_UNKNOWN: u32 = 2;
/// The record has a path as the process gave it to the system call; the
/// components name the folder that it is relative to.
pub const PATH_USER: u32 = 4;
/// The user's path begins at the root; there are no components.
pub const PATH_ABSOLUTE: u32 = 8;

/// [`FileKey::counted`]: write calls.
pub const COUNT_WRITE: u32 = 1;
/// [`FileKey::counted`]: unlinks.
pub const COUNT_UNLINK: u32 = 2;

/// What is counted together: one process, one file, one sort of act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct FileKey {
    /// Process' start, as in [`RecordHeader::start_time`].
    pub start_time: u64,
    /// Inode: of the file for writes, of the folder for unlinks.
    pub inode: u64,
    /// Hash of the name within the folder for unlinks, 0 for writes.
    pub name_hash: u64,
    /// Process.
    pub tgid: u32,
    /// Device in the kernel's own encoding (`super_block.s_dev`: 12 bits
    /// major, 20 bits minor).
    pub device: u32,
    /// `COUNT_*`.
    pub counted: u32,
    /// `i_generation` of that inode: a new file or folder may get the inode
    /// number of one that was deleted.
    pub generation: u32,
}

const _: () = assert!(size_of::<FileKey>() == 40);

/// What was counted under a [`FileKey`] since the last flush.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FileCount {
    /// Calls that returned success.
    pub calls: u64,
    /// Bytes that those calls reported as written.
    pub bytes: u64,
}

const _: () = assert!(size_of::<FileCount>() == 16);

/// Tables of busy files that a processor has, one for each program that needs one.
pub const HOT_TABLES: usize = 4;
/// Counts that a table of busy files has room for.
pub const HOT_LINES: usize = 64;

/// The count of a busy file: what its entry in the map of counts lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct HotCount {
    /// What is counted; [`FileKey::counted`] is 0 where the place is free.
    pub key: FileKey,
    /// Calls that returned success.
    pub calls: u64,
    /// Bytes that those calls reported as written.
    pub bytes: u64,
    /// No meaning; makes it a cache line.
    pub reserved: u64,
}

const _: () = assert!(size_of::<HotCount>() == 64);

/// Fixed part of a `FileCreate` or `FilePath` record.
///
/// After it come `user_len` bytes of a path as given by the process
/// (NUL-ended), if [`PATH_USER`] says so, and `path_len` bytes of components
/// from the leaf up, each ended by a NUL.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FileRecord {
    /// Speaks of the process that acted.
    pub header: RecordHeader,
    /// What the path belongs to.
    pub key: FileKey,
    /// Which of the two maps of counts was current.
    pub epoch: u32,
    /// `PATH_*` flags.
    pub path_flags: u32,
    /// Bytes of components that follow the user path.
    pub path_len: u32,
    /// Bytes of user path that follow.
    pub user_len: u32,
}

const _: () = assert!(size_of::<FileRecord>() == 72 + 40 + 16);
