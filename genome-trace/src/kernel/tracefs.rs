//! tracefs, to look up the numbers of tracepoints: nothing is mounted where
//! others would see it, and nothing stays.

use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::OwnedFd,
};

use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen},
};

/// Where it is mounted on most machines.
const MOUNTED_AT: &str = "/sys/kernel/tracing";

/// A tracefs of our own, or the machine's.
pub struct Tracefs(OwnedFd);

impl Tracefs {
    /// Opens the one that is mounted, or makes one that only this descriptor
    /// leads to (fsopen(2), fsmount(2)), which takes CAP_SYS_ADMIN.
    ///
    /// # Errors
    /// The kernel's refusal; ENODEV where it has no tracefs.
    pub fn open() -> io::Result<Self> {
        let folder = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
        if let Ok(root) = openat(CWD, MOUNTED_AT, folder, Mode::empty())
            && openat(&root, "events", folder, Mode::empty()).is_ok()
        {
            return Ok(Self(root));
        }
        let system = fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_create(&system)?;
        let root = fsmount(&system, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?;
        Ok(Self(root))
    }

    /// The number of a tracepoint, given as `syscalls/sys_exit_write`, by
    /// which perf_event_open(2) knows it.
    ///
    /// # Errors
    /// ENOENT where the kernel has no such tracepoint.
    pub fn event_id(&self, event: &str) -> io::Result<u64> {
        let path = format!("events/{event}/id");
        let file = openat(&self.0, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut text = String::new();
        File::from(file).read_to_string(&mut text)?;
        text.trim().parse().map_err(io::Error::other)
    }
}
