//! Users by their names (getpwnam(3)).

use std::{ffi::CString, io, ptr};

/// A user's entry fits.
const ROOM: usize = 4096;
const ROOM_MAX: usize = 1 << 20;

/// The numbers of a user and of its group; `None` where there is none of that
/// name.
///
/// # Errors
/// The machine's list of users cannot be asked.
pub fn user_id(name: &str) -> io::Result<Option<(u32, u32)>> {
    let name = CString::new(name)?;
    let mut room: Vec<libc::c_char> = vec![0; ROOM];
    loop {
        let mut entry = libc::passwd {
            pw_name: ptr::null_mut(),
            pw_passwd: ptr::null_mut(),
            pw_uid: 0,
            pw_gid: 0,
            pw_gecos: ptr::null_mut(),
            pw_dir: ptr::null_mut(),
            pw_shell: ptr::null_mut(),
        };
        let mut found = ptr::null_mut();
        // SAFETY: `name` ends in NUL, `entry` and `found` may be written, and
        // `room` has as many bytes as are told; all outlive the call.
        let error = unsafe {
            libc::getpwnam_r(
                name.as_ptr(),
                &raw mut entry,
                room.as_mut_ptr(),
                room.len(),
                &raw mut found,
            )
        };
        match error {
            0 => return Ok((!found.is_null()).then_some((entry.pw_uid, entry.pw_gid))),
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
    fn root_has_numbers_and_nonsense_has_none() {
        assert_eq!(user_id("root").unwrap(), Some((0, 0)));
        assert_eq!(user_id("no-such-user-of-anybody").unwrap(), None);
        assert!(user_id("a\0b").is_err());
    }
}
