//! What folders and executables are called in a report: the same in two runs of
//! the same thing.

use std::{env, ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, path::PathBuf};

use super::invoker::Invoker;
use crate::{detect::Places, usage::RunNames};

/// Names without where the command ran, and without what is random.
#[derive(Clone)]
pub(super) struct Names(Places);

impl Names {
    /// Of a command that is started here.
    pub(super) fn of(invoker: &Invoker) -> Self {
        let directory = env::current_dir().ok();
        let home = invoker.home().and_then(|home| real(&home));
        let temporary = env::var_os("TMPDIR").and_then(|folder| real(&folder));
        Self(Places::new(bytes(&directory), bytes(&home), bytes(&temporary)))
    }
}

fn bytes(path: &Option<PathBuf>) -> Option<&[u8]> {
    path.as_ref().map(|path| path.as_os_str().as_bytes())
}

/// As the kernel tells it. One that cannot be resolved is no place.
fn real(path: &OsStr) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

impl RunNames for Names {
    fn executable(&self, path: &[u8]) -> String {
        self.0.name(path)
    }

    fn folder(&self, path: &[u8]) -> String {
        self.0.name(path)
    }
}
