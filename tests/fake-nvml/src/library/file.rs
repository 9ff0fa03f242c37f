//! The script's file, read again when it has changed.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use crate::SCRIPT_VARIABLE;
use crate::script::Script;

/// What the script's file said from one change to the next.
#[derive(Debug)]
pub(crate) struct Version {
    /// `None` where it could not be read.
    pub(crate) script: Option<Script>,
    /// When it was first seen. Times in it count from here.
    pub(crate) seen: Instant,
    /// The same on the wall clock.
    pub(crate) seen_on: SystemTime,
}

/// The script's file.
pub(crate) struct ScriptFile(Mutex<Watched>);

struct Watched {
    path: Option<PathBuf>,
    /// By what a change is noticed; `None` where the file could not be read.
    stamp: Option<Stamp>,
    version: Option<Arc<Version>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl From<&Metadata> for Stamp {
    fn from(of: &Metadata) -> Self {
        Self {
            device: of.dev(),
            inode: of.ino(),
            bytes: of.size(),
            changed: (of.mtime(), of.mtime_nsec()),
        }
    }
}

impl ScriptFile {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Watched { path: None, stamp: None, version: None }))
    }

    /// Reads that file from now on.
    pub(crate) fn watch(&self, path: Option<PathBuf>) {
        let mut watched = self.lock();
        if watched.path != path {
            *watched = Watched { path, stamp: None, version: None };
        }
    }

    /// What the file says now.
    pub(crate) fn current(&self) -> Arc<Version> {
        let mut watched = self.lock();
        let stamp = watched.path.as_ref().and_then(|path| fs::metadata(path).ok());
        let stamp = stamp.as_ref().map(Stamp::from);
        match &watched.version {
            Some(version) if stamp == watched.stamp => Arc::clone(version),
            _ => watched.read(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    fn read(&mut self) -> Arc<Version> {
        let (stamp, script) = match &self.path {
            None => (None, Err(format!("{SCRIPT_VARIABLE} is not set; set it to a script's path"))),
            Some(path) => match text_of(path) {
                Err(error) => (
                    None,
                    Err(format!("cannot read {}: {error}; put a script there", path.display())),
                ),
                Ok((stamp, text)) => {
                    let script = Script::parse(&text).map_err(|wrong| {
                        format!("{}: {wrong}; its README has the format", path.display())
                    });
                    (Some(stamp), script)
                }
            },
        };
        let script = script
            .map_err(|sentence| {
                // Who cannot be told on stderr learns it from the error code.
                let _ = writeln!(io::stderr(), "fake-nvml: {sentence}");
            })
            .ok();
        let version =
            Arc::new(Version { script, seen: Instant::now(), seen_on: SystemTime::now() });
        self.stamp = stamp;
        self.version = Some(Arc::clone(&version));
        version
    }
}

/// The stamp is that of the file which is read, should another take its place
/// meanwhile.
fn text_of(path: &Path) -> io::Result<(Stamp, String)> {
    let mut file = File::open(path)?;
    let stamp = Stamp::from(&file.metadata()?);
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok((stamp, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_when_it_changes_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("script");
        let put = |text: &str| {
            let new = folder.path().join("new");
            fs::write(&new, text).unwrap();
            fs::rename(new, &path).unwrap();
        };
        let driver = |version: &Version| {
            version.script.as_ref().and_then(|script| script.driver_version.clone())
        };

        let file = ScriptFile::new();
        assert!(file.current().script.is_none());
        file.watch(Some(path.clone()));
        assert!(file.current().script.is_none());

        put("driver_version = '1'");
        let first = file.current();
        assert_eq!(driver(&first).as_deref(), Some("1"));
        assert!(Arc::ptr_eq(&first, &file.current()));
        file.watch(Some(path.clone()));
        assert!(Arc::ptr_eq(&first, &file.current()));

        put("driver_version = '2'");
        let second = file.current();
        assert_eq!(driver(&second).as_deref(), Some("2"));
        assert!(second.seen >= first.seen);

        put("driver_version = ");
        let wrong = file.current();
        assert!(wrong.script.is_none());
        assert!(Arc::ptr_eq(&wrong, &file.current()));
    }
}
