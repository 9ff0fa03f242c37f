//! The tests of one project, run once: as they are, or behind the words of a
//! tracer.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{self, Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use genome_trace_suites::{Project, without_times};

use crate::child::Running;
use crate::deadline::Deadline;
use crate::machine::Place;

/// No suite takes that long, even under the slowest tracer.
const PATIENCE: Duration = Duration::from_secs(300);

/// Where and how they run.
pub(super) struct Trial<'a> {
    project: &'a Project,
    /// The folder of all suites.
    all: PathBuf,
    folder: PathBuf,
    scratch: &'a Place,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    /// From the start of the first process to its end.
    pub(super) seconds: f64,
    /// How it ended.
    pub(super) status: ExitStatus,
    /// Lines without what a clock has said in them.
    pub(super) stdout: Vec<String>,
    /// The last line on stderr.
    pub(super) last_words: String,
}

impl<'a> Trial<'a> {
    /// The error says what is missing.
    pub(super) fn of(
        project: &'a Project,
        all: Option<&Path>,
        scratch: &'a Place,
    ) -> Result<Self, String> {
        let all = all.ok_or("no folder of suites was given")?;
        // The tests begin in a folder of their own: relative paths would lead elsewhere.
        let all = path::absolute(all).map_err(|error| format!("{}: {error}", all.display()))?;
        let folder = project.folder(&all).ok_or_else(|| {
            let folder = all.join(project.dir);
            format!("no {} here; run `cargo xtask setup --bench`", folder.display())
        })?;
        Ok(Self { project, all, folder, scratch })
    }

    /// Runs them behind these words.
    pub(super) fn run(&self, before: &[OsString]) -> anyhow::Result<Outcome> {
        let command = self.project.command.iter().map(OsStr::new);
        let mut words = before.iter().map(OsString::as_os_str).chain(command);
        let mut command = Command::new(words.next().context("there is no command")?);
        command.args(words).envs(self.project.environment(&self.all)).current_dir(&self.folder);
        // Else `run` would let it run as that user, and nobody else would.
        command.env_remove("SUDO_UID");
        let (stdout, stderr) = (self.scratch.path("stdout"), self.scratch.path("stderr"));
        let create =
            |file: &Path| File::create(file).with_context(|| format!("create {}", file.display()));
        command.stdin(Stdio::null()).stdout(create(&stdout)?).stderr(create(&stderr)?);
        let started = Instant::now();
        let ended =
            Running::start("a test suite", &mut command)?.wait(&Deadline::after(PATIENCE))?;
        let seconds = started.elapsed().as_secs_f64();
        let (stdout, stderr) = (lines(&stdout)?, lines(&stderr)?);
        Ok(Outcome {
            seconds,
            status: ended.status,
            stdout: stdout.iter().map(|line| without_times(line)).collect(),
            last_words: stderr.into_iter().rfind(|line| !line.is_empty()).unwrap_or_default(),
        })
    }
}

impl Outcome {
    /// How it ended, in words.
    pub(super) fn end(&self) -> String {
        format!("{}: {}", self.status, self.last_words)
    }

    /// The first thing that is not as in another run; `None` where all is.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        if self.status != other.status {
            return Some(format!("{}, instead of {}", self.end(), other.status));
        }
        let longer = self.stdout.len().max(other.stdout.len());
        let pairs = (0..longer).map(|n| (n + 1, self.stdout.get(n), other.stdout.get(n)));
        let (number, ours, others) = { pairs }.find(|(_, ours, others)| ours != others)?;
        let said = |line: Option<&String>| {
            line.map_or_else(|| "nothing".to_owned(), |line| format!("{line:?}"))
        };
        Some(format!("line {number} of stdout is {}, instead of {}", said(ours), said(others)))
    }
}

fn lines(file: &Path) -> anyhow::Result<Vec<String>> {
    let bytes = fs::read(file).with_context(|| format!("read {}", file.display()))?;
    Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    fn outcome(status: i32, stdout: &[&str]) -> Outcome {
        Outcome {
            seconds: 1.0,
            status: ExitStatus::from_raw(status << 8),
            stdout: stdout.iter().map(|line| (*line).to_owned()).collect(),
            last_words: "because".to_owned(),
        }
    }

    #[test]
    fn the_first_difference_is_told() {
        let first = outcome(0, &["ok 1", "ok 2"]);
        let difference = |status, stdout: &[&str]| outcome(status, stdout).difference(&first);
        assert_eq!(difference(0, &["ok 1", "ok 2"]), None);
        assert_eq!(
            difference(1, &["ok 1"]).as_deref(),
            Some("exit status: 1: because, instead of exit status: 0")
        );
        assert_eq!(
            difference(0, &["ok 1", "not ok 2"]).as_deref(),
            Some(r#"line 2 of stdout is "not ok 2", instead of "ok 2""#)
        );
        assert_eq!(
            difference(0, &["ok 1"]).as_deref(),
            Some(r#"line 2 of stdout is nothing, instead of "ok 2""#)
        );
        assert_eq!(
            difference(0, &["ok 1", "ok 2", "more"]).as_deref(),
            Some(r#"line 3 of stdout is "more", instead of nothing"#)
        );
    }

    #[test]
    fn a_run_is_what_the_command_does() {
        const SAYS: Project = Project {
            name: "says",
            dir: "here",
            command: &["sh", "-c", "pwd; echo in $WORD 2.5s; echo why >&2; exit 3"],
            env: &[("WORD", "about")],
        };
        let (all, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let scratch = Place::under(scratch.path()).unwrap();
        let here = all.path().canonicalize().unwrap().join("here");
        let refused = Trial::of(&SAYS, Some(all.path()), &scratch).err().unwrap();
        assert!(refused.ends_with("here here; run `cargo xtask setup --bench`"), "{refused}");
        fs::create_dir(&here).unwrap();
        let trial = Trial::of(&SAYS, Some(all.path()), &scratch).unwrap();
        for before in [vec![], vec![OsString::from("env")]] {
            let outcome = trial.run(&before).unwrap();
            assert_eq!(outcome.end(), "exit status: 3: why");
            assert_eq!(outcome.stdout, [here.display().to_string(), "in about TIME".to_owned()]);
        }
    }
}
