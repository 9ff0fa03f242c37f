//! posix_spawn(3), the call itself: std takes other ways where it likes.

use std::ffi::{CString, NulError};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::ptr;

/// An environment in the shape that posix_spawn takes; empty by default.
#[derive(Default)]
pub(crate) struct Environment(Vec<CString>);

impl Environment {
    /// This process' own.
    pub(crate) fn inherited() -> Result<Self, NulError> {
        std::env::vars_os()
            .map(|(mut entry, value)| {
                entry.push("=");
                entry.push(value);
                CString::new(entry.into_vec())
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// One variable and no other.
    pub(crate) fn only(name: &str, value: &str) -> Result<Self, NulError> {
        Ok(Self(vec![CString::new(format!("{name}={value}"))?]))
    }
}

/// Starts the program that the first word names; gives the child's pid, which
/// the caller waits for.
pub(crate) fn spawn(argv: &[CString], environment: &Environment) -> io::Result<i32> {
    let program = argv.first().ok_or(io::ErrorKind::InvalidInput)?;
    let words = pointers(argv);
    let variables = pointers(&environment.0);
    let mut pid = 0;
    // SAFETY: both lists end with a null and point into strings that outlive
    // the call; posix_spawn, despite its type, changes none of them.
    let refused = unsafe {
        libc::posix_spawn(
            &raw mut pid,
            program.as_ptr(),
            ptr::null(),
            ptr::null(),
            words.as_ptr(),
            variables.as_ptr(),
        )
    };
    match refused {
        0 => Ok(pid),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

fn pointers(strings: &[CString]) -> Vec<*mut libc::c_char> {
    strings.iter().map(|string| string.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect()
}
