//! How much CPU time a cgroup may have (cgroup v2's `cpu.max`), set for a while.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::cgroup::Hierarchy;

/// Microseconds in which a cgroup may use its share.
const PERIOD_US: u64 = 100_000;

/// A limit that is in force until it is taken back, or dropped.
#[derive(Debug)]
pub struct CpuLimit {
    file: PathBuf,
    before: String,
}

impl CpuLimit {
    /// Limits a cgroup to so much of one processor, in percent.
    ///
    /// # Errors
    /// It has no such limit (cgroup v1, the root, or the cpu controller is not
    /// enabled there), or it may not be written.
    pub fn set(hierarchy: &Hierarchy, cgroup_path: &[u8], percent: u64) -> io::Result<Self> {
        let folder = hierarchy.folder(cgroup_path).ok_or(io::ErrorKind::NotFound)?;
        Self::set_in(&folder, percent)
    }

    fn set_in(folder: &Path, percent: u64) -> io::Result<Self> {
        let file = folder.join("cpu.max");
        let before = fs::read_to_string(&file)?;
        let quota = PERIOD_US.saturating_mul(percent) / 100;
        fs::write(&file, format!("{quota} {PERIOD_US}"))?;
        Ok(Self { file, before })
    }
}

/// Takes it back. Where the cgroup is gone, so is the limit.
impl Drop for CpuLimit {
    fn drop(&mut self) {
        let _ = fs::write(&self.file, self.before.trim_end());
    }
}

/// The processes of a cgroup itself, without those below it.
///
/// # Errors
/// The cgroup is not there, or may not be read.
pub fn members(hierarchy: &Hierarchy, cgroup_path: &[u8]) -> io::Result<Vec<u32>> {
    let folder = hierarchy.folder(cgroup_path).ok_or(io::ErrorKind::NotFound)?;
    let text = fs::read_to_string(folder.join("cgroup.procs"))?;
    Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cpu.max");
        fs::write(&file, "max 100000\n").unwrap();
        let limit = CpuLimit::set_in(folder.path(), 20).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "20000 100000");
        drop(limit);
        assert_eq!(fs::read_to_string(&file).unwrap(), "max 100000");
    }

    #[test]
    fn where_there_is_no_such_limit_that_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = CpuLimit::set_in(folder.path(), 20).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
