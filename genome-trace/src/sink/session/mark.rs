//! Phases of sessions that are running. A session has a file in a runtime
//! folder, which it holds locked and which says where its phases go; who marks
//! a phase appends a row there.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, OFlags, flock};

use crate::{
    model::{FIRST_PHASE, WallTime},
    render::session_rows,
};

/// Longest name of a phase, in characters.
const NAME_MAX: usize = 64;
/// The most that is read of phases at a look, in bytes.
const READ_MAX: u64 = 1 << 20;

/// Where sessions of this user say that they run: in `XDG_RUNTIME_DIR`, and for
/// root in /run.
#[must_use]
pub fn runtime_folders() -> Vec<PathBuf> {
    let of_user = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty());
    let of_user = of_user.map(|folder| Path::new(&folder).join("genome-trace"));
    let is_root = rustix::process::geteuid().is_root();
    let of_root = is_root.then(|| PathBuf::from("/run/genome-trace"));
    // root's own comes first: `sudo` may keep the variable or not.
    of_root.into_iter().chain(of_user).collect()
}

/// The session's end of it.
#[derive(Debug)]
pub(super) struct Marks {
    pointer: PathBuf,
    /// Holds the lock.
    _lock: File,
    phases: File,
    read: u64,
    phase: String,
}

impl Marks {
    pub(super) fn begin(folder: &Path, id: &str, phases: &Path) -> io::Result<Self> {
        let mut head = Vec::new();
        session_rows::write_phase_head(&mut head);
        let begin = || {
            let mut options = OpenOptions::new();
            let mut file = options.read(true).append(true).create_new(true).open(phases)?;
            file.write_all(&head).inspect_err(|_| drop(fs::remove_file(phases)))?;
            Ok(file)
        };
        let file = begin().map_err(|error: io::Error| super::named(phases, &error))?;
        Self::point(folder, id, phases, file, head.len())
            .inspect_err(|_| drop(fs::remove_file(phases)))
    }

    /// Leads who marks to the file of phases.
    fn point(
        folder: &Path,
        id: &str,
        phases: &Path,
        file: File,
        length: usize,
    ) -> io::Result<Self> {
        let phases = std::path::absolute(phases)?;
        let sessions = folder.join("sessions");
        let pointer = sessions.join(id);
        let make = || {
            make_folders(folder, &sessions)?;
            let mut lock = OpenOptions::new().write(true).create_new(true).open(&pointer)?;
            flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
            lock.write_all(phases.as_os_str().as_bytes())?;
            Ok(lock)
        };
        let lock = make().map_err(|error: io::Error| super::named(&pointer, &error))?;
        let read = u64::try_from(length).unwrap_or_default();
        Ok(Self { pointer, _lock: lock, phases: file, read, phase: FIRST_PHASE.to_owned() })
    }

    pub(super) fn phase(&self) -> &str {
        &self.phase
    }

    /// Takes in what was marked since the last time. A file that cannot be read
    /// now is read at the next look.
    pub(super) fn read(&mut self) {
        let mut bytes = Vec::new();
        let from = self.phases.seek(SeekFrom::Start(self.read));
        let all = from.and_then(|_| (&self.phases).take(READ_MAX).read_to_end(&mut bytes));
        // The last row may be half written.
        let Some(end) = all.ok().and_then(|_| bytes.iter().rposition(|byte| *byte == b'\n')) else {
            return;
        };
        let whole = bytes.get(..=end).unwrap_or_default();
        self.read += u64::try_from(whole.len()).unwrap_or_default();
        let mut rows =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(whole);
        let last = rows.records().filter_map(Result::ok).last();
        if let Some(name) = last.as_ref().and_then(|row| row.get(1)) {
            name.clone_into(&mut self.phase);
        }
    }
}

impl Drop for Marks {
    fn drop(&mut self) {
        // What stays is not locked, and is taken away by the next who marks.
        let _ = fs::remove_file(&self.pointer);
    }
}

/// Others may pass through the first: the recorder's socket lies there, too, and
/// says itself whom it is for.
fn make_folders(folder: &Path, sessions: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        fs::create_dir_all(folder)?;
        // Whatever the umask is.
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    }
    DirBuilder::new().recursive(true).mode(0o700).create(sessions)
}

/// Why a phase was not marked.
#[derive(Debug)]
pub enum MarkFailure {
    /// The name cannot be one.
    Name(&'static str),
    /// Nobody runs a session here.
    NoSession,
    /// The session's file cannot be written.
    Write(PathBuf, io::Error),
}

impl std::fmt::Display for MarkFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(why) => write!(f, "cannot mark this phase: {why}"),
            Self::NoSession => f.write_str(
                "cannot mark a phase: no session of this user is running; begin one with \
                 --output, and mark its phases as the same user (with sudo, where it was begun \
                 with sudo)",
            ),
            Self::Write(path, error) => write!(
                f,
                "cannot mark a phase in {}: {error}; make room, or let this user write there",
                path.display()
            ),
        }
    }
}

impl std::error::Error for MarkFailure {}

/// A session whose phase was marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// Its name.
    pub id: String,
}

/// Marks a phase of every session that says in one of `folders` that it runs.
///
/// # Errors
/// There is none, the name is none, or a file cannot be written.
pub fn mark_phase(
    folders: &[PathBuf],
    name: &str,
    now: WallTime,
) -> Result<Vec<Marked>, MarkFailure> {
    if name.trim().is_empty() {
        return Err(MarkFailure::Name("its name is empty"));
    }
    if name.chars().count() > NAME_MAX {
        return Err(MarkFailure::Name("its name has more than 64 characters"));
    }
    if name.chars().any(char::is_control) {
        return Err(MarkFailure::Name("its name has control characters"));
    }
    let mut row = Vec::new();
    session_rows::write_phase(&mut row, now, name);
    let mut marked = Vec::new();
    for (id, phases) in folders.iter().flat_map(|folder| running(&folder.join("sessions"))) {
        // Made by the session; a link that somebody put there is not followed.
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        let file = OpenOptions::new().append(true).custom_flags(flags).open(&phases);
        // In one call, so that rows of two markers do not mix.
        let written = file.and_then(|mut file| file.write_all(&row));
        written.map_err(|error| MarkFailure::Write(phases, error))?;
        marked.push(Marked { id });
    }
    if marked.is_empty() { Err(MarkFailure::NoSession) } else { Ok(marked) }
}

/// Sessions that run, with their files of phases. What those left that were
/// killed is taken away.
fn running(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<_> = entries.filter_map(|entry| session_at(&entry.path())).collect();
    found.sort();
    found
}

/// Believed only where it is this user's own: root must not write where
/// somebody else says.
fn session_at(pointer: &Path) -> Option<(String, PathBuf)> {
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(pointer).ok()?;
    if file.metadata().ok()?.uid() != rustix::process::geteuid().as_raw() {
        return None;
    }
    if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
        let mut nothing = [0];
        // Empty: it has just been made and is about to be locked.
        if file.read(&mut nothing).is_ok_and(|count| count > 0) {
            let _ = fs::remove_file(pointer);
        }
        return None;
    }
    let mut path = Vec::new();
    file.read_to_end(&mut path).ok()?;
    let id = pointer.file_name()?.to_str()?.to_owned();
    (!path.is_empty()).then(|| (id, PathBuf::from(std::ffi::OsString::from_vec(path))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn others_reach_what_lies_beside_the_sessions() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("genome-trace");
        let sessions = folder.join("sessions");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        make_folders(&folder, &sessions).unwrap();
        assert_eq!((mode(&folder), mode(&sessions)), (0o755, 0o700));
        // What somebody has chosen stays.
        fs::set_permissions(&folder, Permissions::from_mode(0o750)).unwrap();
        make_folders(&folder, &sessions).unwrap();
        assert_eq!(mode(&folder), 0o750);
    }
}
