//! Memory limits of cgroups, and how much memory the machine has.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use super::{cgroup::Hierarchy, machine};

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

/// How far what a cgroup is charged with and the resident memory of its
/// processes may be off each other, in bytes. The kernel charges a processor's
/// next pages in advance (`MEMCG_CHARGE_BATCH`, mm/memcontrol.c) and adds a
/// processor's own count of resident pages up only when it is this large
/// (`percpu_counter_batch`, lib/percpu_counter.c).
#[must_use]
pub fn charge_slack() -> u64 {
    const CHARGED_IN_ADVANCE: u64 = 64;
    const COUNTED_APART: u64 = 32;
    let processors = machine::processors() as u64;
    let apart = COUNTED_APART.max(2 * processors);
    processors.saturating_mul(CHARGED_IN_ADVANCE + apart).saturating_mul(machine::page_size())
}

impl Hierarchy {
    /// The limit that holds for a cgroup: the lowest of its own and of those
    /// above it, the outermost of equal ones. `None` where there is none, or it
    /// cannot be read, as that of a cgroup outside a container.
    #[must_use]
    pub fn memory_limit(&self, cgroup_path: &[u8]) -> Option<CgroupLimit> {
        let (bytes, folder) = self.limiting(cgroup_path)?;
        Some(CgroupLimit { bytes, cgroup_id: fs::metadata(folder).ok()?.ino() })
    }

    /// What the cgroup whose limit holds for a cgroup is charged with and cannot
    /// give back, in bytes: pages of files and caches of the kernel are dropped
    /// before the limit is met (Documentation/admin-guide/cgroup-v2.rst, and
    /// cgroup-v1/memory.rst). `None` where there is no limit, and where it cannot
    /// be read.
    #[must_use]
    pub fn memory_held(&self, cgroup_path: &[u8]) -> Option<u64> {
        let (usage, given_back): (_, &[&str]) = if self.is_v1_memory() {
            ("memory.usage_in_bytes", &["total_inactive_file", "total_active_file"])
        } else {
            ("memory.current", &["inactive_file", "active_file", "slab_reclaimable"])
        };
        let (_, folder) = self.limiting(cgroup_path)?;
        let usage: u64 = fs::read_to_string(folder.join(usage)).ok()?.trim().parse().ok()?;
        let stat = fs::read_to_string(folder.join("memory.stat")).ok()?;
        let figures = stat.lines().filter_map(|line| line.split_once(' '));
        let given_back = figures.filter(|(name, _)| given_back.contains(name));
        let given_back: u64 = given_back.filter_map(|(_, bytes)| bytes.parse::<u64>().ok()).sum();
        Some(usage.saturating_sub(given_back))
    }

    /// The limit that holds, and the folder of the cgroup that has it.
    fn limiting(&self, cgroup_path: &[u8]) -> Option<(u64, PathBuf)> {
        let file = if self.is_v1_memory() { "memory.limit_in_bytes" } else { "memory.max" };
        let folders = self.folders(cgroup_path)?.into_iter();
        let limits = folders.filter_map(|folder| {
            let bytes = parse_limit(&fs::read_to_string(folder.join(file)).ok()?)?;
            Some((bytes, folder))
        });
        // The first of equal ones, which is the outermost.
        limits.min_by_key(|(bytes, _)| *bytes)
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
    fn what_can_be_given_back_is_not_held() {
        let mount = tempfile::tempdir().unwrap();
        let of = |path: &str| mount.path().join(path);
        fs::create_dir_all(of("ai/job")).unwrap();
        fs::write(of("ai/memory.max"), "4096\n").unwrap();
        fs::write(of("ai/job/memory.max"), "max\n").unwrap();
        let mut hierarchy = hierarchy(mount.path(), "/");
        assert_eq!(hierarchy.memory_held(b"/ai/job"), None);
        fs::write(of("ai/memory.current"), "3000\n").unwrap();
        let stat = "anon 2000\nfile 900\ninactive_file 300\nactive_file 200\nshmem 400\n\
                    slab_reclaimable 50\ninactive_anon 2400\n";
        fs::write(of("ai/memory.stat"), stat).unwrap();
        assert_eq!(hierarchy.memory_held(b"/ai/job"), Some(2450));
        assert_eq!(hierarchy.memory_held(b"/"), None);
        hierarchy.v1_controller = Some("memory");
        fs::write(of("ai/memory.limit_in_bytes"), "4096\n").unwrap();
        fs::write(of("ai/memory.usage_in_bytes"), "1000\n").unwrap();
        let stat = "inactive_file 1\ntotal_inactive_file 300\ntotal_active_file 200\n";
        fs::write(of("ai/memory.stat"), stat).unwrap();
        assert_eq!(hierarchy.memory_held(b"/ai"), Some(500));
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
