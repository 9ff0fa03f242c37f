//! How much CPU time a cgroup may have, set for a while: `cpu.max` of cgroup v2
//! (Documentation/admin-guide/cgroup-v2.rst), `cpu.cfs_quota_us` of v1
//! (Documentation/scheduler/sched-bwc.rst).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::cgroup::Hierarchy;

/// Microseconds in which a cgroup may use its share, on v2.
const PERIOD_US: u64 = 100_000;

/// A limit that is in force until it is taken back, or dropped.
#[derive(Debug)]
pub struct CpuLimit {
    file: PathBuf,
    before: String,
    ours: String,
}

impl CpuLimit {
    /// Limits a cgroup to so much of one processor, in percent.
    ///
    /// # Errors
    /// It has no such limit (the root, or the CPU controller is not enabled
    /// there), it has one that is no more than that, or it may not be written.
    pub fn set(hierarchy: &Hierarchy, cgroup_path: &[u8], percent: u64) -> io::Result<Self> {
        let folder = hierarchy.folder(cgroup_path).ok_or(io::ErrorKind::NotFound)?;
        match hierarchy.v1_controller {
            Some(_) => Self::set_on_v1(&folder, percent),
            None => Self::set_on_v2(&folder, percent),
        }
    }

    /// `cpu.max` has the quota, or `max`, and the period.
    fn set_on_v2(folder: &Path, percent: u64) -> io::Result<Self> {
        let file = folder.join("cpu.max");
        let before = read(&file)?;
        let (quota, period) = before.split_once(' ').unwrap_or((&before, ""));
        let is_lower = is_no_more(quota, period, percent);
        let ours = format!("{} {PERIOD_US}", PERIOD_US.saturating_mul(percent) / 100);
        Self::write(file, before, ours, is_lower)
    }

    /// The quota has a file of its own; below 0 there is none.
    fn set_on_v1(folder: &Path, percent: u64) -> io::Result<Self> {
        let file = folder.join("cpu.cfs_quota_us");
        let before = read(&file)?;
        let period = read(&folder.join("cpu.cfs_period_us"))?;
        let is_lower = is_no_more(&before, &period, percent);
        let period: u64 = period.parse().map_err(io::Error::other)?;
        let ours = (period.saturating_mul(percent) / 100).to_string();
        Self::write(file, before, ours, is_lower)
    }

    fn write(file: PathBuf, before: String, ours: String, is_lower: bool) -> io::Result<Self> {
        if is_lower {
            let text = format!("its limit is no more than that already: {before}");
            return Err(io::Error::other(text));
        }
        fs::write(&file, &ours)?;
        Ok(Self { file, before, ours })
    }

    /// Takes it back, unless somebody has written another limit since. Where
    /// the cgroup is gone, so is the limit.
    ///
    /// # Errors
    /// It may not be written any more.
    pub fn take_back(&self) -> io::Result<()> {
        let is_ours = fs::read_to_string(&self.file).is_ok_and(|now| now.trim_end() == self.ours);
        if is_ours { fs::write(&self.file, &self.before) } else { Ok(()) }
    }
}

impl Drop for CpuLimit {
    fn drop(&mut self) {
        let _ = self.take_back();
    }
}

/// Whether a quota, in microseconds of a period, is no more than so many
/// percent. What is no number, as `max` and -1, is none.
fn is_no_more(quota: &str, period: &str, percent: u64) -> bool {
    let quota = quota.parse::<u64>().ok().zip(period.parse::<u64>().ok());
    quota.is_some_and(|(quota, period)| quota.saturating_mul(100) <= period.saturating_mul(percent))
}

fn read(file: &Path) -> io::Result<String> {
    let text = fs::read_to_string(file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(
            error.kind(),
            format!("there is no {}: its cgroup has no CPU controller", file.display()),
        ),
        _ => error,
    })?;
    Ok(text.trim_end().to_owned())
}

/// The processes of a cgroup and of all below it, for which its limit holds,
/// too. A process of another PID namespace is a 0.
///
/// # Errors
/// A cgroup is not there, or may not be read.
pub fn members(hierarchy: &Hierarchy, cgroup_path: &[u8]) -> io::Result<Vec<u32>> {
    let folder = hierarchy.folder(cgroup_path).ok_or(io::ErrorKind::NotFound)?;
    let mut members = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        let text = fs::read_to_string(folder.join("cgroup.procs"))?;
        members.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(members)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn it_is_taken_back() {
        let folder = folder(&[("cpu.max", "max 100000\n")]);
        let file = folder.path().join("cpu.max");
        let limit = CpuLimit::set_on_v2(folder.path(), 20).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "20000 100000");
        limit.take_back().unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "max 100000");
    }

    #[test]
    fn on_v1_the_quota_is_a_part_of_the_period_there() {
        let folder = folder(&[("cpu.cfs_quota_us", "-1\n"), ("cpu.cfs_period_us", "50000\n")]);
        let file = folder.path().join("cpu.cfs_quota_us");
        let limit = CpuLimit::set_on_v1(folder.path(), 20).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "10000");
        drop(limit);
        assert_eq!(fs::read_to_string(&file).unwrap(), "-1");
    }

    #[test]
    fn a_limit_is_never_raised() {
        let v2 = folder(&[("cpu.max", "10000 100000\n")]);
        let error = CpuLimit::set_on_v2(v2.path(), 20).unwrap_err();
        assert!(error.to_string().contains("already: 10000 100000"), "{error}");
        let v1 = folder(&[("cpu.cfs_quota_us", "20000\n"), ("cpu.cfs_period_us", "100000\n")]);
        CpuLimit::set_on_v1(v1.path(), 20).unwrap_err();
        let more = folder(&[("cpu.max", "150000 100000\n")]);
        drop(CpuLimit::set_on_v2(more.path(), 20).unwrap());
        assert_eq!(fs::read_to_string(more.path().join("cpu.max")).unwrap(), "150000 100000");
    }

    #[test]
    fn a_limit_that_somebody_else_wrote_since_stays() {
        let folder = folder(&[("cpu.max", "max 100000\n")]);
        let file = folder.path().join("cpu.max");
        let limit = CpuLimit::set_on_v2(folder.path(), 20).unwrap();
        fs::write(&file, "50000 100000\n").unwrap();
        drop(limit);
        assert_eq!(fs::read_to_string(&file).unwrap(), "50000 100000\n");
    }

    #[test]
    fn where_there_is_no_such_limit_that_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = CpuLimit::set_on_v2(folder.path(), 20).unwrap_err();
        assert!(error.to_string().contains("no CPU controller"), "{error}");
    }

    #[test]
    fn a_limit_holds_for_all_below_too() {
        let top = folder(&[("cgroup.procs", "12\n0\n")]);
        fs::create_dir_all(top.path().join("a/b")).unwrap();
        fs::write(top.path().join("a/cgroup.procs"), "").unwrap();
        fs::write(top.path().join("a/b/cgroup.procs"), "13\n").unwrap();
        let hierarchy = Hierarchy {
            mount_point: top.path().to_owned(),
            root: "/".to_owned(),
            v1_controller: None,
            id: 0,
        };
        assert_eq!(members(&hierarchy, b"/").unwrap(), [12, 0, 13]);
        members(&hierarchy, b"/c").unwrap_err();
    }
}
