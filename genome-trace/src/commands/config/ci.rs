//! What a build holds a command's runs to: the table `[ci]`.
//!
//! It is a project's own affair, so it stands in the project: in
//! `.genome-trace.toml` in the folder that the command is started in, or in a
//! file that is named. A project's file has no other table: what else can be
//! configured is the machine's affair, commands that root starts among it.

use std::{fs, io, num::NonZeroU32, path::Path};

use anyhow::bail;
use serde::Deserialize;

use super::{Config, parse, values::Text};
use crate::{cli::Percent, detect::GateRule};

/// A project's own configuration.
const PROJECT_CONFIG: &str = ".genome-trace.toml";

/// The table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "the table [ci]")]
pub(crate) struct Ci {
    fail_on: Vec<Text<GateRule>>,
    tolerance: Option<Tolerance>,
    repeat: Option<Repeat>,
}

/// A tolerance, in percent.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "f64")]
struct Tolerance(f64);

impl TryFrom<f64> for Tolerance {
    type Error = String;

    fn try_from(percent: f64) -> Result<Self, String> {
        Percent::new(percent).map(|percent| Self(percent.0))
    }
}

/// How often to run.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
struct Repeat(NonZeroU32);

impl TryFrom<i64> for Repeat {
    type Error = String;

    fn try_from(times: i64) -> Result<Self, String> {
        let number = u32::try_from(times).ok().and_then(NonZeroU32::new);
        number.map(Self).ok_or_else(|| format!("{times} is no number of runs, which is from 1 on"))
    }
}

impl Ci {
    /// The rules, in their order.
    pub(in crate::commands) fn rules(&self) -> impl Iterator<Item = &GateRule> {
        self.fail_on.iter().map(|rule| &rule.0)
    }

    /// What is near enough, in percent.
    pub(in crate::commands) fn tolerance_percent(&self) -> Option<f64> {
        self.tolerance.map(|tolerance| tolerance.0)
    }

    /// How often a command is to run.
    pub(in crate::commands) fn repeat(&self) -> Option<NonZeroU32> {
        self.repeat.map(|repeat| repeat.0)
    }
}

/// A project's file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Project {
    ci: Ci,
}

/// The table of the file that was asked for, else of the project's own in
/// `directory`; empty where neither is there.
///
/// # Errors
/// A sentence: the file cannot be read, or has something else in it.
pub(in crate::commands) fn ci(asked_for: Option<&Path>, directory: &Path) -> anyhow::Result<Ci> {
    if asked_for.is_some() {
        return Ok(Config::read(asked_for)?.ci.unwrap_or_default());
    }
    let path = directory.join(PROJECT_CONFIG);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(parse::<Project>(&path, &text)?.ci),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ci::default()),
        Err(error) => bail!(
            "cannot read the project's configuration {}: {error}; correct its permissions, or \
             name another file with --config",
            path.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../docs/regression.md");

    fn project(text: &str) -> anyhow::Result<Ci> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(PROJECT_CONFIG), text).unwrap();
        ci(None, folder.path())
    }

    fn read(ci: &Ci) -> (Vec<String>, Option<f64>, Option<u32>) {
        let rules = ci.rules().map(ToString::to_string).collect();
        (rules, ci.tolerance_percent(), ci.repeat().map(NonZeroU32::get))
    }

    #[test]
    fn a_projects_file_is_read_where_there_is_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(&ci(None, folder.path()).unwrap()), (Vec::new(), None, None));
        assert_eq!(read(&project("").unwrap()), (Vec::new(), None, None));
        let text = "[ci]\nfail_on = [\"crashes>0\", \"changed\"]\ntolerance = 5\nrepeat = 4\n";
        let rules = vec!["crashes>0".to_owned(), "changed".to_owned()];
        assert_eq!(read(&project(text).unwrap()), (rules.clone(), Some(5.0), Some(4)));
        // The file that is named may be the machine's, too.
        let path = folder.path().join("named.toml");
        fs::write(&path, format!("[privacy]\ncapture_stderr = false\n{text}")).unwrap();
        assert_eq!(read(&ci(Some(&path), folder.path()).unwrap()).0, rules);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, line, word) in [
            ("[ci]\nfail = []", 2, "fail"),
            ("[ci]\n\nfail_on = [\"crash>0\"]", 3, "no metric of a run is called \"crash\""),
            ("[ci]\nfail_on = \"crashes>0\"", 2, "sequence"),
            ("[ci]\ntolerance = -1", 2, "no tolerance"),
            ("[ci]\ntolerance = \"10%\"", 2, "string"),
            ("[ci]\nrepeat = 0", 2, "no number of runs"),
            ("ci = 1", 1, "the table [ci]"),
            // What the machine's file may say, and no project's.
            ("[alerts.command.page]\nargv = [\"/bin/sh\"]", 1, "alerts"),
            ("[ci", 1, ""),
        ] {
            let error = project(text).unwrap_err().to_string();
            assert!(error.contains(&format!("{PROJECT_CONFIG}:{line}:")), "{text}: {error}");
            assert!(error.contains(word) && !error.contains('\n'), "{text}: {error}");
        }
        let missing = ci(Some(Path::new("/no/such/file")), Path::new(".")).unwrap_err();
        assert!(missing.to_string().contains("/no/such/file"), "{missing}");
    }

    /// The example of the page is a file that can be used.
    #[test]
    fn the_example_of_the_page_is_read() {
        let block = PAGE.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let (rules, tolerance, repeat) = read(&project(block).unwrap());
        assert!(rules.len() > 3 && tolerance.is_some() && repeat.is_some(), "{rules:?}");
    }
}
