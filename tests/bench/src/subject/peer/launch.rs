//! Peers that start the command that they trace, and trace it to its end.

use std::ffi::OsString;
use std::path::Path;

use super::{need, tracefs};

/// One of them.
pub(crate) struct Launcher {
    /// What the report calls it.
    pub(crate) name: &'static str,
    /// What must be installed for it.
    program: &'static str,
    /// Its arguments but for where to write to.
    words: &'static [&'static str],
    /// Whether it looks for events in tracefs.
    needs_tracefs: bool,
}

/// Both count system calls, of the command and of all that it starts.
pub(crate) const LAUNCHERS: [Launcher; 2] = [
    Launcher {
        name: "strace -f -c",
        program: "strace",
        words: &["-f", "-c"],
        needs_tracefs: false,
    },
    Launcher {
        name: "perf trace -s",
        program: "perf",
        words: &["trace", "-s"],
        needs_tracefs: true,
    },
];

impl Launcher {
    /// What the command follows. What it tells goes to `output`; the error says
    /// why there is none.
    pub(crate) fn line(&self, output: &Path) -> Result<Vec<OsString>, String> {
        let path = need(self.program)?;
        let mut line: Vec<OsString> =
            tracefs::prefix(self.needs_tracefs).iter().map(OsString::from).collect();
        line.push(path.into_os_string());
        line.extend(self.words.iter().map(OsString::from));
        line.extend(["-o".into(), output.as_os_str().to_owned(), "--".into()]);
        Ok(line)
    }
}
