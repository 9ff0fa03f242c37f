//! The record of an exec: the new image's path, its argument vector and its
//! environment.

use crate::RecordHeader;

/// Most bytes of the argument vector that a record carries.
pub const EXEC_ARGV_MAX: usize = 8192;

/// Most bytes of the environment that a record carries.
pub const EXEC_ENVIRONMENT_MAX: usize = 8192;

/// The argument vector was longer than [`EXEC_ARGV_MAX`].
pub const EXEC_ARGV_TRUNCATED: u32 = 1;
/// The argument vector could not be read from the new address space.
pub const EXEC_ARGV_UNREADABLE: u32 = 2;
/// The environment was longer than [`EXEC_ENVIRONMENT_MAX`].
pub const EXEC_ENVIRONMENT_TRUNCATED: u32 = 4;
/// The environment could not be read from the new address space.
pub const EXEC_ENVIRONMENT_UNREADABLE: u32 = 8;

/// Fixed part of an exec record. After it come `path_len` bytes of path
/// components (see [`crate::FileRecord`]), `argv_len` bytes of NUL-separated
/// arguments and `environment_len` bytes of NUL-separated assignments.
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
    /// Bytes of the environment that follow the arguments.
    pub environment_len: u32,
    /// `EXEC_*` flags.
    pub flags: u32,
    /// No meaning yet; written as 0.
    pub reserved: u32,
}

const _: () = assert!(size_of::<ExecRecord>() == 72 + 24);
