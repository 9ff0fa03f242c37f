//! The record of an exec: the new image's path and its argument vector.

use crate::RecordHeader;

/// Most bytes of the argument vector that a record carries.
pub const EXEC_ARGV_MAX: usize = 8192;

/// The argument vector was longer than [`EXEC_ARGV_MAX`].
pub const EXEC_ARGV_TRUNCATED: u32 = 1;
/// The argument vector could not be read from the new address space.
pub const EXEC_ARGV_UNREADABLE: u32 = 2;

/// Fixed part of an exec record. After it come `path_len` bytes of path
/// components (see [`crate::FileRecord`]) and `argv_len` bytes of
/// NUL-separated arguments.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ExecRecord {
    /// Speaks of the process that called execve.
    pub header: RecordHeader,
    /// Bytes of path components that follow.
    pub path_len: u32,
    /// `PATH_*` flags of the executable's path.
    pub path_flags: u32,
    /// Bytes of arguments that follow the path.
    pub argv_len: u32,
    /// `EXEC_*` flags.
    pub flags: u32,
}

const _: () = assert!(size_of::<ExecRecord>() == 72 + 16);
