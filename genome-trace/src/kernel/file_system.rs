//! How much room the machine's own file systems have.

use std::{collections::BTreeSet, ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, path::Path};

use super::cgroup::unescape;

/// File systems that never make who asks wait for a network or for a program
/// of somebody's: those on disks, and in memory.
const LOCAL: [&str; 10] =
    ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs", "tmpfs", "overlay"];
/// Smaller ones hold no files of workers: /run/lock and the like.
const SMALLEST_BYTES: u64 = 64 << 20;
/// More are not looked at: this is asked for again and again.
const MOST: usize = 16;

/// Room of a file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Where it is mounted.
    pub mount: String,
    /// What can be used, by programs without privileges.
    pub total_bytes: u64,
    /// What of it is used.
    pub used_bytes: u64,
}

/// The room of each local file system, by its first place among the mounts
/// (proc_pid_mountinfo(5)); nothing where the mounts cannot be read.
#[must_use]
pub fn rooms() -> Vec<Room> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    local(&mounts).into_iter().filter_map(room).take(MOST).collect()
}

/// Where local file systems are mounted, each one once.
fn local(mountinfo: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mounts = mountinfo.lines().filter_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(2);
        let (device, _, mount, options) = (left.next()?, left.next()?, left.next()?, left.next()?);
        let kind = right.split(' ').next()?;
        let is_writable = options.split(',').any(|option| option == "rw");
        let is_new = LOCAL.contains(&kind) && is_writable && seen.insert(device.to_owned());
        is_new.then(|| unescape(mount))
    });
    mounts.collect()
}

/// By statvfs(3): what only root may use counts as used.
fn room(mount: String) -> Option<Room> {
    let found = rustix::fs::statvfs(Path::new(OsStr::from_bytes(mount.as_bytes()))).ok()?;
    let reserved = found.f_bfree.saturating_sub(found.f_bavail);
    let total_bytes = found.f_blocks.saturating_sub(reserved).checked_mul(found.f_frsize)?;
    let used = found.f_blocks.saturating_sub(found.f_bfree);
    let used_bytes = used.checked_mul(found.f_frsize)?;
    (total_bytes >= SMALLEST_BYTES).then_some(Room { mount, total_bytes, used_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_local_one_is_found_once_where_it_can_be_written_to() {
        let mounts = "\
22 1 252:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
24 22 252:1 /srv /srv rw,relatime shared:1 - ext4 /dev/vda1 rw
25 22 0:30 / /dev/shm rw,nosuid - tmpfs tmpfs rw
26 22 0:31 / /net rw - nfs4 box:/net rw
27 22 252:2 / /boot ro,relatime - ext4 /dev/vda2 ro
28 22 252:3 / /with\\040space rw - xfs /dev/vdb rw
";
        assert_eq!(local(mounts), ["/", "/dev/shm", "/with space"]);
    }

    #[test]
    fn this_machine_has_room() {
        let rooms = rooms();
        assert!(!rooms.is_empty());
        assert!(rooms.iter().all(|room| room.used_bytes <= room.total_bytes), "{rooms:?}");
    }
}
