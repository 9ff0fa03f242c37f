//! Memory limits of cgroups, and how much memory the machine has.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use super::cgroup::Hierarchy;

/// Limits from here on are none: cgroup v1 writes the largest number of pages
/// that it can count (`PAGE_COUNTER_MAX`, include/linux/page_counter.h) where
/// v2 writes `max`.
const UNLIMITED: u64 = 1 << 62;

/// A memory limit, and the cgroup that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CgroupLimit {
    /// The limit in bytes.
    pub bytes: u64,
    /// The cgroup's id, which is its folder's inode number.
    pub cgroup_id: u64,
}

impl Hierarchy {
    /// The limit that holds for a cgroup: the lowest of its own and of those
    /// above it, the outermost of equal ones. `None` where there is none, or it
    /// cannot be read, as that of a cgroup outside a container.
    #[must_use]
    pub fn memory_limit(&self, cgroup_path: &[u8]) -> Option<CgroupLimit> {
        let file = if self.is_v1_memory() { "memory.limit_in_bytes" } else { "memory.max" };
        let limit_of = |folder: &Path| {
            let bytes = parse_limit(&fs::read_to_string(folder.join(file)).ok()?)?;
            Some(CgroupLimit { bytes, cgroup_id: fs::metadata(folder).ok()?.ino() })
        };
        self.folders(cgroup_path)?.iter().filter_map(|folder| limit_of(folder)).min_by_key(
            // The first of equal ones, which is the outermost.
            |limit| limit.bytes,
        )
    }

    /// The folder of a cgroup; `None` where it is not below this mount.
    pub(super) fn folder(&self, cgroup_path: &[u8]) -> Option<PathBuf> {
        self.folders(cgroup_path)?.pop()
    }

    /// The folders from the mount's root down to a cgroup.
    fn folders(&self, cgroup_path: &[u8]) -> Option<Vec<PathBuf>> {
        let root = self.root.trim_end_matches('/').as_bytes();
        let below = Path::new(OsStr::from_bytes(cgroup_path.strip_prefix(root)?));
        let mut folder = self.mount_point.clone();
        let mut folders = vec![folder.clone()];
        for part in below.components() {
            match part {
                std::path::Component::Normal(name) => folder.push(name),
                std::path::Component::RootDir | std::path::Component::CurDir => continue,
                _ => return None,
            }
            folders.push(folder.clone());
        }
        Some(folders)
    }
}

/// `max`, or bytes.
fn parse_limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < UNLIMITED)
}

/// The machine's memory, and what of it could be had without swapping, in
/// bytes (proc_meminfo(5)).
#[must_use]
pub fn machine_memory() -> (Option<u64>, Option<u64>) {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    (field(&text, "MemTotal:"), field(&text, "MemAvailable:"))
}

fn field(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hierarchy(folder: &Path, root: &str) -> Hierarchy {
        Hierarchy {
            mount_point: folder.to_owned(),
            root: root.to_owned(),
            v1_controller: None,
            id: 0,
        }
    }

    #[test]
    fn the_lowest_limit_above_holds_and_it_is_told_whose() {
        let mount = tempfile::tempdir().unwrap();
        let of = |path: &str| mount.path().join(path);
        fs::create_dir_all(of("ai/code/job")).unwrap();
        fs::write(of("ai/memory.max"), "4096\n").unwrap();
        fs::write(of("ai/code/memory.max"), "max\n").unwrap();
        fs::write(of("ai/code/job/memory.max"), "8192\n").unwrap();
        let hierarchy = hierarchy(mount.path(), "/");
        let found = hierarchy.memory_limit(b"/ai/code/job").unwrap();
        assert_eq!(found.bytes, 4096);
        assert_eq!(found.cgroup_id, fs::metadata(of("ai")).unwrap().ino());
        assert_eq!(hierarchy.memory_limit(b"/"), None);
        assert_eq!(hierarchy.memory_limit(b"/../ai"), None);
        assert_eq!(hierarchy.memory_limit(b"/gone"), None);
    }

    #[test]
    fn in_a_container_the_path_begins_with_its_root() {
        let mount = tempfile::tempdir().unwrap();
        fs::create_dir(mount.path().join("job")).unwrap();
        fs::write(mount.path().join("job/memory.max"), "4096").unwrap();
        let hierarchy = hierarchy(mount.path(), "/docker/abc");
        let limit = |path: &[u8]| hierarchy.memory_limit(path).map(|limit| limit.bytes);
        assert_eq!(limit(b"/docker/abc/job"), Some(4096));
        assert_eq!(limit(b"/other/job"), None);
    }

    #[test]
    fn no_limit_is_none() {
        assert_eq!(parse_limit("max\n"), None);
        assert_eq!(parse_limit("9223372036854771712\n"), None);
        assert_eq!(parse_limit("1048576\n"), Some(1 << 20));
    }

    #[test]
    fn meminfo_is_in_kibibytes() {
        let text = "MemTotal:       24576 kB\nMemFree: 1 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(field(text, "MemTotal:"), Some(24576 << 10));
        assert_eq!(field(text, "MemAvailable:"), Some(2 << 20));
        assert_eq!(field("", "MemTotal:"), None);
        assert!(machine_memory().0.is_some());
    }
}
