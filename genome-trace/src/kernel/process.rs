//! Processes as /proc shows them (proc_pid_stat(5) and its neighbours): the
//! fallback for what no event has told.

use std::{ffi::OsString, fs, io, os::unix::ffi::OsStringExt as _, path::PathBuf};

use super::{cgroup::Hierarchy, machine};
use crate::model::ProcessKey;

/// A process, as far as /proc tells us of it: others' is closed to those who
/// are not root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcProcess {
    /// Process id.
    pub tgid: u32,
    /// Its parent's.
    pub ppid: u32,
    /// Start on the boot clock, in the ticks that /proc has.
    pub start_ticks: u64,
    /// Its name.
    pub comm: Box<[u8]>,
    /// Real user id.
    pub uid: Option<u32>,
    /// Path of the executable.
    pub exe: Option<Box<[u8]>>,
    /// Its arguments, NUL-separated.
    pub argv: Option<Box<[u8]>>,
    /// Its environment at exec, NUL-separated.
    pub environment: Option<Box<[u8]>>,
    /// Its working directory.
    pub cwd: Option<Box<[u8]>>,
}

impl ProcProcess {
    /// Looks a process up. `None` where it is gone, or is a thread's id.
    #[must_use]
    pub fn read(tgid: u32) -> Option<Self> {
        let before = Stat::read(tgid)?;
        let exe = fs::read_link(format!("/proc/{tgid}/exe"));
        // Threads of the kernel have no program, and so no arguments.
        let has_program =
            exe.as_ref().err().is_none_or(|error| error.kind() != io::ErrorKind::NotFound);
        let path = |link: io::Result<PathBuf>| {
            let mut path = OsString::from(link.ok()?).into_vec();
            // What the kernel says of a file that has been unlinked since.
            if path.ends_with(DELETED) {
                path.truncate(path.len() - DELETED.len());
            }
            Some(path.into())
        };
        let block = |name| {
            if !has_program {
                return None;
            }
            let bytes = fs::read(format!("/proc/{tgid}/{name}")).ok()?;
            Some(bytes.into_boxed_slice()).filter(|bytes| !bytes.is_empty())
        };
        let found = Self {
            tgid,
            ppid: before.ppid,
            start_ticks: before.start_ticks,
            comm: before.comm,
            uid: real_uid(tgid),
            exe: path(exe),
            argv: block("cmdline"),
            environment: block("environ"),
            cwd: path(fs::read_link(format!("/proc/{tgid}/cwd"))),
        };
        // All of it must be one process', not half its successor's.
        let after = Stat::read(tgid)?;
        (after.start_ticks == found.start_ticks).then_some(found)
    }

    /// The same, where it is the process that started at this time on the boot
    /// clock.
    #[must_use]
    pub fn read_started_at(tgid: u32, start_ns: u64) -> Option<Self> {
        Self::read(tgid).filter(|found| found.start_ticks == start_ns / ns_per_tick())
    }

    /// Start on the boot clock, in nanoseconds, no finer than /proc has it.
    #[must_use]
    pub fn start_ns(&self) -> u64 {
        self.start_ticks.saturating_mul(ns_per_tick())
    }
}

/// Whether this very process still lives.
#[must_use]
pub fn is_there(key: ProcessKey) -> bool {
    Stat::read(key.tgid).is_some_and(|found| found.start_ticks == key.start_time / ns_per_tick())
}

/// Resident memory of this very process, in bytes; `None` where it is gone.
#[must_use]
pub fn resident_bytes(key: ProcessKey) -> Option<u64> {
    let statm = fs::read_to_string(format!("/proc/{}/statm", key.tgid)).ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    // Looked at after it was read, or it might be another's.
    is_there(key).then(|| pages.saturating_mul(machine::page_size()))
}

/// Every process that there is now.
///
/// # Errors
/// /proc cannot be listed.
pub fn processes() -> io::Result<Vec<ProcProcess>> {
    let tgids = fs::read_dir("/proc")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(tgids.filter_map(ProcProcess::read).collect())
}

/// Path of a process' cgroup in a hierarchy (cgroups(7)).
#[must_use]
pub fn cgroup_path(tgid: u32, hierarchy: &Hierarchy) -> Option<Box<[u8]>> {
    cgroup_in(&fs::read(format!("/proc/{tgid}/cgroup")).ok()?, hierarchy.v1_controller)
}

/// Lines of `hierarchy:controllers:path`; the unified one has no controllers.
fn cgroup_in(text: &[u8], v1_controller: Option<&str>) -> Option<Box<[u8]>> {
    text.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.splitn(3, |byte| *byte == b':');
        let (number, controllers) = (fields.next()?, fields.next()?);
        let is_wanted = match v1_controller {
            Some(wanted) => {
                controllers.split(|byte| *byte == b',').any(|name| name == wanted.as_bytes())
            }
            None => number == b"0",
        };
        is_wanted.then(|| fields.next()).flatten().map(Into::into)
    })
}

const DELETED: &[u8] = b" (deleted)";

struct Stat {
    comm: Box<[u8]>,
    ppid: u32,
    start_ticks: u64,
}

impl Stat {
    fn read(tgid: u32) -> Option<Self> {
        Self::parse(&fs::read(format!("/proc/{tgid}/stat")).ok()?)
    }

    /// The name is in parentheses and may hold anything, parentheses too; the
    /// parent is the second field behind it, the start the twentieth.
    fn parse(line: &[u8]) -> Option<Self> {
        let open = line.iter().position(|byte| *byte == b'(')?;
        let close = line.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(line.get(close + 1..)?).ok()?;
        let mut fields = rest.split_ascii_whitespace().skip(1);
        let ppid = fields.next()?.parse().ok()?;
        let start_ticks = fields.nth(17)?.parse().ok()?;
        Some(Self { comm: line.get(open + 1..close)?.into(), ppid, start_ticks })
    }
}

fn real_uid(tgid: u32) -> Option<u32> {
    let status = fs::read(format!("/proc/{tgid}/status")).ok()?;
    let line = status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"Uid:\t"))?;
    std::str::from_utf8(line).ok()?.split_ascii_whitespace().next()?.parse().ok()
}

/// Nanoseconds of a tick of the user interface, in which /proc counts: 100 a
/// second almost everywhere.
#[must_use]
pub fn ns_per_tick() -> u64 {
    // SAFETY: no precondition.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    1_000_000_000 / u64::try_from(ticks).ok().filter(|ticks| *ticks > 0).unwrap_or(100)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_behind_the_last_parenthesis() {
        let line = b"12 (a) S 7) S 34 12 12 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 5678 9000 1";
        let stat = Stat::parse(line).unwrap();
        assert_eq!(&*stat.comm, b"a) S 7");
        assert_eq!(stat.ppid, 34);
        assert_eq!(stat.start_ticks, 5678);
        assert!(Stat::parse(b"12 (a S 34").is_none());
        assert!(Stat::parse(b"12 )a( S 34").is_none());
        assert!(Stat::parse(b"").is_none());
    }

    #[test]
    fn the_cgroup_of_either_sort_of_hierarchy() {
        let text = b"5:cpu,memory:/a:b\n1:name=systemd:/s\n0::/u\n";
        assert_eq!(cgroup_in(text, Some("memory")).as_deref(), Some(b"/a:b".as_slice()));
        assert_eq!(cgroup_in(text, Some("cp")), None);
        assert_eq!(cgroup_in(text, None).as_deref(), Some(b"/u".as_slice()));
        assert_eq!(cgroup_in(b"", None), None);
    }

    #[test]
    fn this_process_is_what_it_is() {
        let tgid = std::process::id();
        let found = ProcProcess::read(tgid).unwrap();
        let exe = std::env::current_exe().unwrap().into_os_string().into_vec();
        assert_eq!(found.exe.as_deref(), Some(exe.as_slice()));
        assert_eq!(ProcProcess::read_started_at(tgid, found.start_ns()), Some(found.clone()));
        assert_eq!(ProcProcess::read_started_at(tgid, 0), None);
        assert!(processes().unwrap().iter().any(|process| process.tgid == tgid));
    }
}
