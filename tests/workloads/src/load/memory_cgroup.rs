//! A memory cgroup of one's own, of either version.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::truth::Unsupported;

/// Which of the kernel's two interfaces holds the memory controller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A memory cgroup that goes when this value does.
pub(crate) struct MemoryCgroup {
    version: Version,
    folder: PathBuf,
}

impl MemoryCgroup {
    /// A new cgroup below the hierarchy's root that holds `limit` bytes and
    /// may not swap.
    pub(crate) fn with_limit(limit: u64) -> anyhow::Result<Self> {
        let mountinfo = fs::read_to_string("/proc/self/mountinfo").context("read mountinfo")?;
        let (version, root) = memory_hierarchy(&mountinfo).ok_or_else(|| {
            Unsupported("no mounted cgroup hierarchy has the memory controller".into())
        })?;
        if version == Version::Two {
            write(&root.join("cgroup.subtree_control"), "+memory")?;
        }
        let folder = root.join(format!("genome-trace-oom-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("make cgroup {}", folder.display()))?;
        let cgroup = Self { version, folder };
        cgroup.set_limit(limit)?;
        Ok(cgroup)
    }

    fn set_limit(&self, limit: u64) -> anyhow::Result<()> {
        let limit = limit.to_string();
        let (memory, swap) = match self.version {
            Version::One => {
                ("memory.limit_in_bytes", ("memory.memsw.limit_in_bytes", limit.as_str()))
            }
            Version::Two => ("memory.max", ("memory.swap.max", "0")),
        };
        write(&self.folder.join(memory), &limit)?;
        // Kernels without swap accounting have no such file.
        let (swap_file, swap_limit) = (self.folder.join(swap.0), swap.1);
        if swap_file.exists() {
            write(&swap_file, swap_limit)?;
        }
        Ok(())
    }

    /// Moves a process in.
    pub(crate) fn take_in(&self, pid: i32) -> anyhow::Result<()> {
        write(&self.folder.join("cgroup.procs"), &pid.to_string())
    }

    /// The path of this cgroup as `/proc/PID/cgroup` has it for a member.
    pub(crate) fn path_of_member(&self, pid: i32) -> anyhow::Result<String> {
        let file = format!("/proc/{pid}/cgroup");
        let lines = fs::read_to_string(&file).with_context(|| format!("read {file}"))?;
        lines
            .lines()
            .find_map(|line| self.path_in_line(line))
            .map(str::to_owned)
            .with_context(|| format!("{file} has no memory cgroup"))
    }

    fn path_in_line<'a>(&self, line: &'a str) -> Option<&'a str> {
        let (hierarchy, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let is_ours = match self.version {
            Version::One => controllers.split(',').any(|name| name == "memory"),
            Version::Two => hierarchy == "0",
        };
        is_ours.then_some(path)
    }

    /// The limit that the kernel took, rounded to its pages.
    pub(crate) fn limit_bytes(&self) -> Option<u64> {
        self.number("memory.limit_in_bytes", "memory.max")
    }

    /// The most that was ever used, where the kernel says.
    pub(crate) fn peak_bytes(&self) -> Option<u64> {
        self.number("memory.max_usage_in_bytes", "memory.peak")
    }

    fn number(&self, one: &str, two: &str) -> Option<u64> {
        let name = match self.version {
            Version::One => one,
            Version::Two => two,
        };
        let text = fs::read_to_string(self.folder.join(name)).ok()?;
        text.trim().parse().ok()
    }

    /// 1 or 2.
    pub(crate) fn version(&self) -> u32 {
        match self.version {
            Version::One => 1,
            Version::Two => 2,
        }
    }
}

impl Drop for MemoryCgroup {
    fn drop(&mut self) {
        // A cgroup folder's files are the kernel's; the folder alone goes.
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The mount point of the hierarchy with the memory controller.
fn memory_hierarchy(mountinfo: &str) -> Option<(Version, PathBuf)> {
    mountinfo.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let root = Path::new(mount.split(' ').nth(4)?);
        let mut file_system = file_system.split(' ');
        match file_system.next()? {
            "cgroup" => {
                let mut options = file_system.nth(1)?.split(',');
                options.any(|option| option == "memory").then_some(())?;
                Some((Version::One, root.to_owned()))
            }
            "cgroup2" => {
                let controllers = fs::read_to_string(root.join("cgroup.controllers")).ok()?;
                let mut names = controllers.split_whitespace();
                names.any(|name| name == "memory").then_some(())?;
                Some((Version::Two, root.to_owned()))
            }
            _ => None,
        }
    })
}

fn write(file: &Path, value: &str) -> anyhow::Result<()> {
    fs::write(file, value).with_context(|| format!("write {value} to {}", file.display()))
}
