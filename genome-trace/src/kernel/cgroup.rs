//! Cgroups: which hierarchy tells where a process belongs, and the paths of
//! the cgroups in it by id.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// The controller by whose hierarchy processes are told, on v1.
const MEMORY: &str = "memory";

/// A mounted cgroup hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    /// Where it is mounted.
    pub mount_point: PathBuf,
    /// Path of the cgroup that is the mount's root: not `/` in a container.
    pub root: String,
    /// The controller whose it is on cgroup v1; `None` for the unified one.
    pub v1_controller: Option<&'static str>,
    /// The kernel's number for it; 0 is the unified one. Ids of cgroups are
    /// unique in one hierarchy only.
    pub id: u32,
}

impl Hierarchy {
    /// The hierarchy that processes are told by: the memory controller's
    /// where that is on v1 (there containers and services have their cgroups),
    /// else the unified one. `None` where neither is mounted.
    #[must_use]
    pub fn find() -> Option<Self> {
        Self::of(MEMORY)
    }

    /// The hierarchy in which cgroups have limits of CPU time: the CPU
    /// controller's where that is on v1, else the unified one.
    #[must_use]
    pub fn of_cpu() -> Option<Self> {
        Self::of("cpu")
    }

    /// Whether it is the memory controller's on cgroup v1.
    #[must_use]
    pub fn is_v1_memory(&self) -> bool {
        self.v1_controller == Some(MEMORY)
    }

    fn of(controller: &'static str) -> Option<Self> {
        let mountinfo = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let mut found = Self::parse(&mountinfo, controller)?;
        if found.v1_controller.is_some() {
            let controllers = fs::read_to_string("/proc/cgroups").ok()?;
            found.id = hierarchy_of(controller, &controllers)?;
        }
        Some(found)
    }

    /// Reads mountinfo (proc_pid_mountinfo(5)).
    fn parse(mountinfo: &str, controller: &'static str) -> Option<Self> {
        let mounts = || {
            mountinfo.lines().filter_map(|line| {
                let (left, right) = line.split_once(" - ")?;
                let mut left = left.split(' ').skip(3);
                let (root, mount_point) = (left.next()?, left.next()?);
                let mut right = right.split(' ');
                let (kind, _, options) = (right.next()?, right.next()?, right.next()?);
                let is_v1 = kind == "cgroup" && options.split(',').any(|o| o == controller);
                (is_v1 || kind == "cgroup2").then(|| Self {
                    mount_point: PathBuf::from(unescape(mount_point)),
                    root: unescape(root),
                    v1_controller: is_v1.then_some(controller),
                    id: 0,
                })
            })
        };
        let on_v1 = mounts().find(|hierarchy| hierarchy.v1_controller.is_some());
        on_v1.or_else(|| mounts().next())
    }

    /// The cgroups that there are now: kernfs id (which is the inode number)
    /// to path.
    #[must_use]
    pub fn scan(&self) -> HashMap<u64, Box<[u8]>> {
        let mut paths = HashMap::new();
        let prefix = self.root.trim_end_matches('/');
        self.visit(&self.mount_point, prefix, 0, &mut paths);
        paths
    }

    fn visit(&self, folder: &Path, path: &str, depth: u32, paths: &mut HashMap<u64, Box<[u8]>>) {
        // The kernel's own limit is 2^31; nobody nests this deep.
        const DEPTH_MAX: u32 = 64;
        let Ok(metadata) = fs::metadata(folder) else { return };
        let shown = if path.is_empty() { "/" } else { path };
        paths.insert(metadata.ino(), shown.as_bytes().into());
        if depth == DEPTH_MAX {
            return;
        }
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let name = entry.file_name();
                let path = format!("{path}/{}", name.to_string_lossy());
                self.visit(&entry.path(), &path, depth + 1, paths);
            }
        }
    }
}

/// A controller's line of /proc/cgroups: name, hierarchy, …
fn hierarchy_of(controller: &str, controllers: &str) -> Option<u32> {
    let mut lines = controllers.lines();
    let line = lines.find_map(|line| line.strip_prefix(controller)?.strip_prefix('\t'))?;
    line.split('\t').next()?.parse().ok()
}

/// mountinfo writes space, tab, newline and backslash as octal.
pub(super) fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn v1_memory_is_preferred_to_the_unified_hierarchy() {
        let hybrid = "\
30 25 0:26 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
31 25 0:27 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
32 25 0:28 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
";
        let found = Hierarchy::parse(hybrid, MEMORY).unwrap();
        assert!(found.is_v1_memory());
        assert_eq!(found.mount_point, Path::new("/sys/fs/cgroup/memory"));
        let found = Hierarchy::parse(hybrid, "cpu").unwrap();
        assert_eq!(found.v1_controller, Some("cpu"));
        assert_eq!(found.mount_point, Path::new("/sys/fs/cgroup/cpu"));
    }

    #[test]
    fn a_controllers_hierarchy_is_found() {
        let controllers =
            "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t2\t1\t1\nmemory\t7\t3\t1\n";
        assert_eq!(hierarchy_of("memory", controllers), Some(7));
        assert_eq!(hierarchy_of("cpu", "cpuset\t3\t1\t1\ncpu\t2\t1\t1\n"), Some(2));
        assert_eq!(hierarchy_of("memory", "#subsys_name\n"), None);
    }

    #[test]
    fn a_containers_root_is_kept() {
        let unified =
            "30 25 0:26 /../../docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw,nsdelegate\n";
        let found = Hierarchy::parse(unified, MEMORY).unwrap();
        assert_eq!(found.v1_controller, None);
        assert_eq!(found.root, "/../../docker/abc");
        assert_eq!(Hierarchy::parse("1 1 0:1 / / rw - ext4 /dev/vda rw\n", MEMORY), None);
    }
}
