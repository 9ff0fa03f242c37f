//! genome-trace itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::json_lines::Told;
use super::{Program, Ready, Subject, Target};
use crate::account::Tally;
use crate::scenario::Aim;
use crate::workload::Truth;

/// How the line on stderr begins that says that every probe is attached.
pub(crate) const ATTACHED: &str = "genome-trace: tracing";

/// genome-trace in one mode.
struct GenomeTrace {
    path: PathBuf,
    mode: String,
}

/// genome-trace in that mode, as something to measure.
pub(crate) fn subject(path: &Path, mode: &str) -> Subject {
    Subject {
        name: "genome-trace".to_owned(),
        mode: Some(mode.to_owned()),
        slowness: 1,
        programs: vec![Box::new(GenomeTrace { path: path.to_owned(), mode: mode.to_owned() })],
    }
}

/// The command that all measurements begin with: JSON lines in that mode.
pub(crate) fn follow(path: &Path, mode: &str) -> Command {
    let mut command = Command::new(path);
    // What is measured is the trace, not a store.
    command.args(["--follow", "--own-probes", "--no-store", "--format=json", "--probe-mode", mode]);
    command
}

/// What a command follows that runs in that mode, and is counted to its end.
pub(crate) fn run(path: &Path, mode: &str) -> Vec<OsString> {
    let mut words = vec![path.as_os_str().to_owned()];
    words.extend(["run", "--probe-mode", mode, "--"].map(OsString::from));
    words
}

impl Program for GenomeTrace {
    fn name(&self) -> &str {
        "genome-trace"
    }

    fn command(&self, target: &Target, _output: &Path) -> Command {
        let mut command = follow(&self.path, &self.mode);
        match target.aim {
            Aim::Workload => command.args(["--pid", &target.workload_tgid.to_string()]),
            Aim::Bystander => command.args(["--pid", &target.bystander_tgid.to_string()]),
            Aim::Lifecycle => command.arg("--kind=exec,fork,exit"),
        };
        command
    }

    fn ready(&self, _output: &Path) -> Ready {
        Ready::Talk(ATTACHED)
    }

    fn tally(&self, target: &Target, output: &Path, truth: &Truth) -> anyhow::Result<Vec<Tally>> {
        let told = Told::read(output, truth.tgid()?, &truth.workers())?;
        Ok(tallies(&told, target.aim, truth))
    }
}

/// Only what the workload says that it did can be held against it.
pub(crate) fn tallies(told: &Told, aim: Aim, truth: &Truth) -> Vec<Tally> {
    let mut tallies = Vec::new();
    let mut tally = |kind: &str, truth: u64, seen: Option<&u64>| {
        tallies.push(Tally {
            kind: kind.to_owned(),
            truth,
            seen: seen.copied().unwrap_or(0),
            told_lost: told.lost(kind),
        });
    };
    if let Ok(spawned) = truth.number("spawned") {
        for kind in ["fork", "exec", "exit"] {
            tally(kind, spawned, told.children.get(kind));
        }
    }
    if let Ok(exits) = truth.number("exits") {
        for kind in ["fork", "exit"] {
            tally(kind, exits, told.children.get(kind));
        }
    }
    // Of somebody whom nobody watches not one write may be told.
    let watched = |count: u64| if aim == Aim::Workload { count } else { 0 };
    for (kind, name) in [("file_create", "files_created"), ("file_write", "write_calls")] {
        if let Ok(count) = truth.number(name) {
            tally(kind, watched(count), told.workers.get(kind));
        }
    }
    tallies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Verdict;

    #[test]
    fn writes_of_the_unwatched_are_wrong() {
        let truth = Truth::parse(r#"{"pid":7,"write_calls":5,"workers":[{"pid":8}]}"#).unwrap();
        let told = Told { workers: [("file_write".to_owned(), 5)].into(), ..Told::default() };
        let verdict = |aim| tallies(&told, aim, &truth).first().map(Tally::verdict);
        assert_eq!(verdict(Aim::Workload), Some(Verdict::Exact));
        assert_eq!(verdict(Aim::Bystander), Some(Verdict::Wrong));
    }

    #[test]
    fn a_process_storm_has_three_kinds() {
        let truth = Truth::parse(r#"{"pid":7,"spawned":2}"#).unwrap();
        let told = Told {
            children: [("exec".to_owned(), 2), ("fork".to_owned(), 2)].into(),
            ..Told::default()
        };
        let verdicts: Vec<_> =
            tallies(&told, Aim::Lifecycle, &truth).iter().map(Tally::verdict).collect();
        assert_eq!(verdicts, [Verdict::Exact, Verdict::Exact, Verdict::Wrong]);
    }
}
