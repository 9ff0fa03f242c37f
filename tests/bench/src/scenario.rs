//! What is measured: each scenario is a load, a place for its files, and whom
//! the tracer looks at meanwhile.

use std::cell::Cell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::machine::{Place, file_system_of};

/// One scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scenario {
    /// What `--only` and the report call it.
    pub(crate) name: &'static str,
    /// What a reader of the table is told.
    pub(crate) title: &'static str,
    /// What the workload does.
    pub(crate) load: Load,
    /// Where its files lie.
    pub(crate) site: Site,
    /// Whom the tracer looks at.
    pub(crate) aim: Aim,
}

/// What a workload does over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Writes of one byte.
    Writes,
    /// getppid(2).
    Calls,
    /// fork, exec, exit.
    Processes,
    /// Files: open, write, close.
    Creations,
}

/// Where a workload's files lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// It has none.
    Nowhere,
    /// `/dev/null`.
    Null,
    /// `/dev/shm`.
    Tmpfs,
    /// The folder on a disk that the command line names.
    Disk,
}

/// Whom a tracer looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// The workload, in all that it does.
    Workload,
    /// Another process, in all that it does; the workload stands by.
    Bystander,
    /// Everybody, but only how processes begin and end.
    Lifecycle,
}

/// Every scenario, in the order of the report.
pub(crate) const ALL: [Scenario; 8] = [
    Scenario {
        name: "write-null",
        title: "1-byte writes to /dev/null by a watched process",
        load: Load::Writes,
        site: Site::Null,
        aim: Aim::Workload,
    },
    Scenario {
        name: "write-tmpfs",
        title: "1-byte writes to tmpfs by a watched process",
        load: Load::Writes,
        site: Site::Tmpfs,
        aim: Aim::Workload,
    },
    Scenario {
        name: "write-disk",
        title: "1-byte writes to a disk by a watched process",
        load: Load::Writes,
        site: Site::Disk,
        aim: Aim::Workload,
    },
    Scenario {
        name: "write-null-unwatched",
        title: "1-byte writes to /dev/null by a process that nobody watches",
        load: Load::Writes,
        site: Site::Null,
        aim: Aim::Bystander,
    },
    Scenario {
        name: "getppid-writes",
        title: "getppid by a bystander while another's writes are attributed",
        load: Load::Calls,
        site: Site::Nowhere,
        aim: Aim::Bystander,
    },
    Scenario {
        name: "getppid-lifecycle",
        title: "getppid by a bystander while only lifecycle is traced",
        load: Load::Calls,
        site: Site::Nowhere,
        aim: Aim::Lifecycle,
    },
    Scenario {
        name: "processes",
        title: "fork, exec and exit, everybody's traced",
        load: Load::Processes,
        site: Site::Nowhere,
        aim: Aim::Lifecycle,
    },
    Scenario {
        name: "create-disk",
        title: "files created on a disk by a watched process",
        load: Load::Creations,
        site: Site::Disk,
        aim: Aim::Workload,
    },
];

impl Scenario {
    /// The scenario of that name.
    pub(crate) fn of(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|scenario| scenario.name == name)
    }
}

/// A scenario made ready on this machine: its files have a place.
pub(crate) struct Stage {
    /// What the files are on; `None` where there are none.
    pub(crate) file_system: Option<String>,
    load: Load,
    path: Option<PathBuf>,
    runs: Cell<u32>,
    // Held for its drop: the folder goes with the stage.
    _place: Option<Place>,
}

impl Stage {
    /// Finds the place; the error is the reason why the scenario is skipped.
    pub(crate) fn set(scenario: &Scenario, disk: &Path) -> anyhow::Result<Self> {
        let load = scenario.load;
        let name = if load == Load::Creations { "files" } else { "storm" };
        Ok(match scenario.site {
            Site::Nowhere => {
                Self { file_system: None, load, path: None, runs: Cell::new(0), _place: None }
            }
            Site::Null => {
                let path = Some("/dev/null".into());
                Self { file_system: None, load, path, runs: Cell::new(0), _place: None }
            }
            Site::Tmpfs => {
                let place = Place::on(Path::new("/dev/shm"), "tmpfs")?;
                let path = Some(place.path(name));
                let file_system = Some("tmpfs".into());
                Self { file_system, load, path, runs: Cell::new(0), _place: Some(place) }
            }
            Site::Disk => {
                let file_system = file_system_of(disk)?;
                ensure!(
                    !["tmpfs", "ramfs"].contains(&file_system.as_str()),
                    "{} is on {file_system}, which is no disk",
                    disk.display()
                );
                let place = Place::under(disk)?;
                let path = Some(place.path(name));
                place.spread_folders();
                let file_system = Some(file_system);
                Self { file_system, load, path, runs: Cell::new(0), _place: Some(place) }
            }
        })
    }

    /// The workload's command line for so many operations.
    pub(crate) fn words(&self, operations: u64) -> Vec<OsString> {
        let name = match self.load {
            Load::Writes => "write-storm",
            Load::Calls => "syscall-storm",
            Load::Processes => "spawn-storm",
            Load::Creations => "create-files",
        };
        let mut words: Vec<OsString> = vec![name.into(), "--count".into()];
        words.push(operations.to_string().into());
        match &self.path {
            // Each run has a folder of its own, and what was created stays to
            // the end: ext4 does not use an inode again for minutes after its
            // deletion, and steps over each such one at every creation.
            Some(path) if self.load == Load::Creations => {
                self.runs.set(self.runs.get() + 1);
                // ext4 chooses the region by the name.
                let name = format!("{}-{}", std::process::id(), self.runs.get());
                let folder = path.with_extension(name);
                words.extend(["--keep".into(), "--dir".into(), folder.into_os_string()]);
            }
            Some(path) => words.extend(["--path".into(), path.clone().into_os_string()]),
            None => {}
        }
        words
    }
}

impl Load {
    /// So many operations show how fast they are here, and no machine takes
    /// long over them.
    pub(crate) fn few(self) -> u64 {
        match self {
            Self::Writes | Self::Calls => 20_000,
            Self::Creations => 200,
            Self::Processes => 50,
        }
    }

    /// More in one run would be another load: a folder that large is slow, and
    /// so is taking it away.
    pub(crate) fn most(self) -> u64 {
        match self {
            Self::Writes | Self::Calls => u64::MAX,
            Self::Creations | Self::Processes => 10_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = ALL.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert_eq!(Scenario::of("processes").map(|found| found.load), Some(Load::Processes));
        assert_eq!(Scenario::of("nothing"), None);
    }

    #[test]
    fn no_folder_in_memory_passes_for_a_disk() {
        let disk = Scenario::of("write-disk").unwrap();
        let refused = Stage::set(disk, Path::new("/dev/shm")).err().map(|error| error.to_string());
        assert_eq!(refused.as_deref(), Some("/dev/shm is on tmpfs, which is no disk"));
    }

    #[test]
    fn words_of_a_storm() {
        let stage = Stage::set(Scenario::of("write-null").unwrap(), Path::new("/")).unwrap();
        assert_eq!(stage.words(7), ["write-storm", "--count", "7", "--path", "/dev/null"]);
    }
}
