//! Users by their names and numbers (getpwnam(3)), and the groups that they
//! are in (getgrouplist(3)).

use std::{
    ffi::{CStr, CString, OsString},
    io,
    os::unix::ffi::OsStringExt as _,
    ptr,
};

/// A user's entry fits.
const ROOM: usize = 4096;
const ROOM_MAX: usize = 1 << 20;
/// As many as the kernel lets a process be in (NGROUPS_MAX).
const GROUPS_MAX: usize = 65536;

/// A user as the machine's list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: OsString,
    /// Its number.
    pub uid: u32,
    /// The number of its first group.
    pub gid: u32,
    /// Its home folder.
    pub home: OsString,
    /// The shell that it logs in with; empty for `/bin/sh`.
    pub shell: OsString,
}

impl User {
    /// The user of that name; `None` where there is none.
    ///
    /// # Errors
    /// The machine's list of users cannot be asked.
    pub fn by_name(name: &str) -> io::Result<Option<Self>> {
        let name = CString::new(name)?;
        look_up(|entry, room, found| {
            // SAFETY: `name` ends in NUL, `entry` and `found` may be written, and
            // `room` has as many bytes as are told; all outlive the call.
            unsafe { libc::getpwnam_r(name.as_ptr(), entry, room.as_mut_ptr(), room.len(), found) }
        })
    }

    /// The user of that number; `None` where there is none.
    ///
    /// # Errors
    /// The machine's list of users cannot be asked.
    pub fn by_id(uid: u32) -> io::Result<Option<Self>> {
        look_up(|entry, room, found| {
            // SAFETY: `entry` and `found` may be written, and `room` has as many
            // bytes as are told; all outlive the call.
            unsafe { libc::getpwuid_r(uid, entry, room.as_mut_ptr(), room.len(), found) }
        })
    }

    /// The groups that it is in, its first one among them.
    ///
    /// # Errors
    /// The machine's list of groups cannot be asked.
    pub fn groups(&self) -> io::Result<Vec<u32>> {
        let name = CString::new(self.name.clone().into_vec())?;
        let mut groups: Vec<libc::gid_t> = vec![0; 64];
        loop {
            let mut count = libc::c_int::try_from(groups.len()).map_err(io::Error::other)?;
            // SAFETY: `name` ends in NUL, and `groups` has room for `count`.
            let found = unsafe {
                libc::getgrouplist(name.as_ptr(), self.gid, groups.as_mut_ptr(), &raw mut count)
            };
            if found >= 0 {
                groups.truncate(usize::try_from(found).unwrap_or(0));
                return Ok(groups);
            }
            if groups.len() >= GROUPS_MAX {
                return Err(io::Error::other("it is in too many groups"));
            }
            groups.resize(groups.len() * 4, 0);
        }
    }

    fn of(entry: &libc::passwd) -> Self {
        let text = |text: *const libc::c_char| {
            if text.is_null() {
                return OsString::new();
            }
            // SAFETY: what is there ends in NUL, and lies in the room of the
            // entry, which outlives this.
            let text = unsafe { CStr::from_ptr(text) };
            OsString::from_vec(text.to_bytes().to_vec())
        };
        Self {
            name: text(entry.pw_name),
            uid: entry.pw_uid,
            gid: entry.pw_gid,
            home: text(entry.pw_dir),
            shell: text(entry.pw_shell),
        }
    }
}

/// Asks with more room until it is enough.
fn look_up(
    ask: impl Fn(*mut libc::passwd, &mut [libc::c_char], *mut *mut libc::passwd) -> libc::c_int,
) -> io::Result<Option<User>> {
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
        match ask(&raw mut entry, &mut room, &raw mut found) {
            0 => return Ok((!found.is_null()).then(|| User::of(&entry))),
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
    fn root_has_an_entry_and_nonsense_has_none() {
        let root = User::by_name("root").unwrap().unwrap();
        assert_eq!((root.uid, root.gid), (0, 0));
        assert_eq!(User::by_id(0).unwrap().unwrap().uid, 0);
        assert!(root.groups().unwrap().contains(&0));
        assert_eq!(User::by_name("no-such-user-of-anybody").unwrap(), None);
        // The number that chown(2) takes for "as it is".
        assert_eq!(User::by_id(u32::MAX).unwrap(), None);
        assert!(User::by_name("a\0b").is_err());
    }
}
