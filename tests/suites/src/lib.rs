//! Other people's projects with their own tests: where they lie, and how their
//! tests are run. fetch.sh, beside this, fetches them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variable that names the folder of all of them.
pub const FOLDER: &str = "GENOME_TRACE_SUITES";

/// A project, and how its tests are run.
#[derive(Clone, Copy, Debug)]
pub struct Project {
    /// Its name.
    pub name: &'static str,
    /// Its folder below that of all.
    pub dir: &'static str,
    /// What runs its tests, relative to its folder if it has a slash.
    pub command: &'static [&'static str],
    /// Variables that lead to folders below that of all, or say something else.
    pub env: &'static [(&'static str, &'static str)],
}

/// Rust's, by cargo. One test after the other, so that the lines come in the
/// same order.
pub const WALKDIR: Project = Project {
    name: "walkdir",
    dir: "rust/walkdir-2.5.0",
    command: &["cargo", "test", "--offline", "--", "--test-threads=1"],
    env: &[("CARGO_TARGET_DIR", "rust/target"), ("CARGO_TERM_PROGRESS_WHEN", "never")],
};

/// Python's, by pytest.
pub const CLICK: Project = Project {
    name: "click",
    dir: "python/click-8.1.7",
    command: &["python3", "-m", "pytest", "-q", "--basetemp=../temporary"],
    env: &[("PYTHONPATH", "python/site")],
};

/// JavaScript's, by mocha.
pub const MV: Project = Project {
    name: "mv",
    dir: "npm/node_modules/mv",
    command: &["../.bin/mocha", "--reporter=tap", "test/test.js", "test/planted.js"],
    env: &[],
};

impl Project {
    /// Its folder; `None` where it was not fetched into the folder of all.
    pub fn folder(&self, all: &Path) -> Option<PathBuf> {
        Some(all.join(self.dir)).filter(|folder| folder.is_dir())
    }

    /// The variables that its tests want.
    pub fn environment(&self, all: &Path) -> impl Iterator<Item = (&'static str, OsString)> {
        self.env.iter().map(|(name, value)| {
            let is_path = value.contains('/');
            (*name, if is_path { all.join(value).into_os_string() } else { value.into() })
        })
    }
}

/// A line of a suite's output without what a clock has said in it: `in 3.52s`.
pub fn without_times(line: &str) -> String {
    let word = |word| if is_time(word) { "TIME" } else { word };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn is_time(word: &str) -> bool {
    word.strip_suffix('s').is_some_and(|number| number.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_are_left_out() {
        let line = "590 passed, 1 xfailed in 3.61s";
        assert_eq!(without_times(line), "590 passed, 1 xfailed in TIME");
        assert_eq!(without_times("ok 3 mv is as s"), "ok 3 mv is as s");
    }

    #[test]
    fn variables_with_a_slash_are_folders() {
        let of: Vec<_> = WALKDIR.environment(Path::new("/suites")).collect();
        let wanted = [
            ("CARGO_TARGET_DIR", "/suites/rust/target".into()),
            ("CARGO_TERM_PROGRESS_WHEN", "never".into()),
        ];
        assert_eq!(of, wanted);
    }

    #[test]
    fn what_was_not_fetched_has_no_folder() {
        assert_eq!(MV.folder(Path::new("/nowhere")), None);
    }
}
