//! The tracers that people would use instead.

mod bpftrace;
mod count;
mod launch;
mod libbpf_tools;
mod others;
mod perf;
mod strace;
mod tracefs;

pub(super) use count::mentions;
pub(crate) use launch::{LAUNCHERS, Launcher};

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::{Program, Ready, Subject, Target};
use crate::account::Tally;
use crate::scenario::{Aim, Load, Scenario};
use crate::workload::Truth;

/// A peer as this machine has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Installed {
    /// The program.
    pub(crate) program: String,
    /// What it says of its version; `None` where it is not installed, or says
    /// nothing.
    pub(crate) version: Option<String>,
}

/// One way to use a peer.
pub(crate) struct Tool {
    /// What the report calls it.
    name: &'static str,
    /// What must be installed for it.
    program: &'static str,
    /// Its arguments.
    words: fn(&Target, &Path) -> Vec<String>,
    /// How to know that it has attached.
    ready: fn(&Path) -> Ready,
    /// What it told of the workload, against the truth.
    count: fn(&Target, &Path, &Truth) -> anyhow::Result<Vec<Tally>>,
    /// Whether it looks for events in tracefs.
    needs_tracefs: bool,
    /// Whether it fills its buffer of stdout before it writes a word.
    buffers_words: bool,
}

/// A peer in a scenario.
struct Peer {
    tools: &'static [&'static Tool],
    /// How much smaller its workloads are.
    slowness: u64,
    /// Whether it takes part where there is little time.
    quick: bool,
}

/// What can be measured in a scenario; the error says why one cannot.
pub(crate) fn of(scenario: &Scenario, quick: bool) -> Vec<(String, Result<Subject, String>)> {
    peers(scenario.load, scenario.aim)
        .iter()
        .filter(|peer| peer.quick || !quick)
        .map(|peer| {
            let names: Vec<&str> = peer.tools.iter().map(|tool| tool.name).collect();
            let name = names.join(" + ");
            (name.clone(), peer.subject(name))
        })
        .collect()
}

fn peers(load: Load, aim: Aim) -> &'static [Peer] {
    const fn peer(tools: &'static [&'static Tool], slowness: u64) -> Peer {
        Peer { tools, slowness, quick: false }
    }
    const SNOOPS: Peer = Peer {
        tools: &[&libbpf_tools::EXECSNOOP, &libbpf_tools::EXITSNOOP],
        slowness: 1,
        quick: true,
    };
    match (load, aim) {
        (Load::Writes, Aim::Workload) => {
            &const {
                [
                    peer(&[&bpftrace::COUNT], 1),
                    peer(&[&libbpf_tools::SYSCOUNT], 1),
                    peer(&[&perf::RECORD], 4),
                    peer(&[&others::TRACE_CMD], 4),
                    peer(&[&others::PSUTIL], 1),
                    peer(&[&bpftrace::PRINT], 40),
                    peer(&[&perf::TRACE], 100),
                    peer(&[&strace::COUNT], 200),
                    peer(&[&strace::PRINT], 400),
                ]
            }
        }
        (Load::Calls, Aim::Bystander) => {
            &const { [peer(&[&bpftrace::COUNT], 1), peer(&[&libbpf_tools::SYSCOUNT], 1)] }
        }
        (Load::Calls, _) => &const { [SNOOPS] },
        (Load::Processes, _) => {
            &const { [SNOOPS, peer(&[&others::PSUTIL], 1), peer(&[&strace::PROCESSES], 4)] }
        }
        (Load::Creations, _) => {
            &const { [peer(&[&libbpf_tools::OPENSNOOP], 1), peer(&[&strace::OPENS], 20)] }
        }
        (Load::Writes, _) => &[],
    }
}

impl Peer {
    fn subject(&self, name: String) -> Result<Subject, String> {
        let mut programs: Vec<Box<dyn Program>> = Vec::new();
        for tool in self.tools {
            let path = need(tool.program)?;
            programs.push(Box::new(Found { tool, path }));
        }
        Ok(Subject { name, mode: None, slowness: self.slowness, programs })
    }
}

/// A tool that is there.
struct Found {
    tool: &'static Tool,
    path: PathBuf,
}

impl Program for Found {
    fn name(&self) -> &str {
        self.tool.name
    }

    fn command(&self, target: &Target, output: &Path) -> Command {
        let mut line = Vec::new();
        if self.tool.buffers_words {
            line.extend(["stdbuf".to_owned(), "-oL".to_owned()]);
        }
        line.push(self.path.to_string_lossy().into_owned());
        line.extend((self.tool.words)(target, output));
        tracefs::command(&line, self.tool.needs_tracefs)
    }

    fn ready(&self, output: &Path) -> Ready {
        (self.tool.ready)(output)
    }

    fn tally(&self, target: &Target, output: &Path, truth: &Truth) -> anyhow::Result<Vec<Tally>> {
        (self.tool.count)(target, output, truth)
    }
}

/// Which peers are installed, and what they say of their versions.
pub(crate) fn installed() -> Vec<Installed> {
    const PROGRAMS: [&str; 9] = [
        "bpftrace",
        "execsnoop",
        "exitsnoop",
        "opensnoop",
        "perf",
        "trace-cmd",
        "strace",
        "python3",
        "sqlite3",
    ];
    PROGRAMS
        .into_iter()
        .map(|program| Installed { program: program.to_owned(), version: version(program) })
        .collect()
}

fn version(program: &str) -> Option<String> {
    let output = Command::new(find(program)?).arg("--version").output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    said.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// Where a program lies: Debian keeps some where only root's `PATH` looks.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|program| program.is_file())
}

/// The same; the error says how to get it.
fn need(program: &str) -> Result<PathBuf, String> {
    find(program).ok_or_else(|| format!("no {program} here; run `cargo xtask setup --bench`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    #[test]
    fn short_runs_have_only_the_snoops() {
        for scenario in &scenario::ALL {
            for (name, _) in of(scenario, true) {
                assert_eq!(name, "execsnoop + exitsnoop");
            }
        }
    }

    #[test]
    fn what_is_not_installed_has_no_path() {
        assert_eq!(find("no-such-program-here"), None);
        assert!(find("sh").is_some());
    }
}
