//! Groups by their names and numbers (getgrnam(3)).

use std::{
    ffi::{CStr, CString},
    io, ptr,
};

/// A group's entry fits, but for those with thousands of members.
const ROOM: usize = 4096;
const ROOM_MAX: usize = 16 << 20;

/// The number of a group; `None` where there is none of that name.
///
/// # Errors
/// The machine's list of groups cannot be asked.
pub fn group_id(name: &str) -> io::Result<Option<u32>> {
    let name = CString::new(name)?;
    look_up(
        |entry, room, found| {
            // SAFETY: `name` ends in NUL, `entry` and `found` may be written, and
            // `room` has as many bytes as are told; all outlive the call.
            unsafe { libc::getgrnam_r(name.as_ptr(), entry, room.as_mut_ptr(), room.len(), found) }
        },
        |entry| entry.gr_gid,
    )
}

/// The name of a group; `None` where there is none of that number.
///
/// # Errors
/// The machine's list of groups cannot be asked.
pub fn group_name(id: u32) -> io::Result<Option<String>> {
    look_up(
        |entry, room, found| {
            // SAFETY: `entry` and `found` may be written, and `room` has as many
            // bytes as are told; all outlive the call.
            unsafe { libc::getgrgid_r(id, entry, room.as_mut_ptr(), room.len(), found) }
        },
        |entry| {
            // SAFETY: the name of an entry that was found ends in NUL, and lies
            // in the room, which outlives this.
            let name = unsafe { CStr::from_ptr(entry.gr_name) };
            name.to_string_lossy().into_owned()
        },
    )
}

/// Asks with more room until it is enough; `take` takes what is wanted out of
/// the entry that was found.
fn look_up<T>(
    ask: impl Fn(*mut libc::group, &mut [libc::c_char], *mut *mut libc::group) -> libc::c_int,
    take: impl FnOnce(&libc::group) -> T,
) -> io::Result<Option<T>> {
    let mut room = vec![0; ROOM];
    loop {
        let mut entry = libc::group {
            gr_name: ptr::null_mut(),
            gr_passwd: ptr::null_mut(),
            gr_gid: 0,
            gr_mem: ptr::null_mut(),
        };
        let mut found = ptr::null_mut();
        match ask(&raw mut entry, &mut room, &raw mut found) {
            0 => return Ok((!found.is_null()).then(|| take(&entry))),
            libc::ERANGE if room.len() < ROOM_MAX => room.resize(room.len() * 4, 0),
            libc::EINTR => {}
            // Ways in which libraries say that there is none.
            libc::ENOENT | libc::ESRCH => return Ok(None),
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn root_has_a_number_and_nonsense_has_none() {
        assert_eq!(group_id("root").unwrap(), Some(0));
        assert_eq!(group_id("no-such-group-of-anybody").unwrap(), None);
        assert!(group_id("a\0b").is_err());
    }

    #[test]
    fn number_0_has_a_name_and_nobodys_has_none() {
        assert_eq!(group_name(0).unwrap().as_deref(), Some("root"));
        // The number that chown(2) takes for "as it is".
        assert_eq!(group_name(u32::MAX).unwrap(), None);
    }
}
