//! What can be wrong with a store: the operation, the object, the remedy.

use std::{fmt, io, path::PathBuf};

use rusqlite::ErrorCode;

/// A store that cannot be used, or not for this.
#[derive(Debug)]
pub enum StoreError {
    /// There is none.
    Missing {
        /// Its file.
        path: PathBuf,
    },
    /// There is a file, and nothing is in it.
    Empty {
        /// Its file.
        path: PathBuf,
    },
    /// This user may not read it.
    Denied {
        /// Its file.
        path: PathBuf,
    },
    /// A later genome-trace wrote it.
    Future {
        /// Its file.
        path: PathBuf,
        /// Its schema's version.
        found: u32,
        /// The latest version that is known here.
        known: u32,
    },
    /// An earlier genome-trace wrote it, and no recorder has opened it since.
    Outdated {
        /// Its file.
        path: PathBuf,
        /// Its schema's version.
        found: u32,
        /// The version that can be read here.
        known: u32,
    },
    /// It is a database, but none of genome-trace's.
    Foreign {
        /// Its file.
        path: PathBuf,
    },
    /// Another recorder writes it.
    InUse {
        /// Its file.
        path: PathBuf,
    },
    /// The system refused something.
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// SQLite refused something.
    Sqlite {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The refusal.
        source: rusqlite::Error,
    },
    /// A record in it is not what this version writes.
    Malformed {
        /// What kind of record.
        what: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// What waits could not be stored by now.
    Waiting {
        /// Why not.
        reason: String,
    },
}

/// What an error means for the one who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// It may pass: no room, no permission, no folder.
    Passing,
    /// The file is damaged.
    Corrupt,
    /// What was to be written will never be taken.
    Rejected,
}

impl StoreError {
    pub(super) fn severity(&self) -> Severity {
        let Self::Sqlite { source, .. } = self else { return Severity::Passing };
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Severity::Corrupt,
            Some(
                ErrorCode::ConstraintViolation
                | ErrorCode::TooBig
                | ErrorCode::TypeMismatch
                | ErrorCode::ParameterOutOfRange,
            ) => Severity::Rejected,
            _ => Severity::Passing,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(
                f,
                "cannot read the store {}: it does not exist; start a recorder with \
                 `sudo genome-trace record`, or name another store with --store",
                path.display()
            ),
            Self::Empty { path } => write!(
                f,
                "cannot read the store {}: the file is empty; ask again where a recorder has just \
                 begun it, or name another store with --store",
                path.display()
            ),
            Self::Denied { path } => write!(
                f,
                "cannot read the store {}: permission denied; run as root or as a member of the \
                 group that the file belongs to",
                path.display()
            ),
            Self::Future { path, found, known } => write!(
                f,
                "cannot use the store {}: its schema has version {found}, and this genome-trace \
                 knows versions up to {known}; use the genome-trace that wrote it or a later one, \
                 or name another store with --store",
                path.display()
            ),
            Self::Outdated { path, found, known } => write!(
                f,
                "cannot read the store {}: its schema has version {found}, and this genome-trace \
                 reads version {known}; start `genome-trace record` once, which brings it up to \
                 date",
                path.display()
            ),
            Self::Foreign { path } => write!(
                f,
                "cannot use the store {}: it is a database of another program; name another store \
                 with --store",
                path.display()
            ),
            Self::InUse { path } => write!(
                f,
                "cannot write the store {}: another recorder writes it; stop that one, or name \
                 another store with --store",
                path.display()
            ),
            Self::Io { operation, path, source } => {
                write!(f, "cannot {operation} {}: {source}; {}", path.display(), io_remedy(source))
            }
            Self::Sqlite { operation, path, source } => write!(
                f,
                "cannot {operation} {}: {source}; {}",
                path.display(),
                sqlite_remedy(source)
            ),
            Self::Malformed { what, path } => write!(
                f,
                "cannot read the store {}: {what} in it makes no sense; read it with the \
                 genome-trace that wrote it, or move it away",
                path.display()
            ),
            Self::Waiting { reason } => write!(f, "not everything is stored yet: {reason}"),
        }
    }
}

/// Each says all that there is to say, so none has a source: who prints the whole
/// chain would say it twice.
impl std::error::Error for StoreError {}

fn io_remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on its file system",
        io::ErrorKind::PermissionDenied => "run as a user who may write there",
        io::ErrorKind::ReadOnlyFilesystem => "make its file system writable",
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "make the folder that it is in",
        io::ErrorKind::IsADirectory => "name a file, or a folder whose name does not end in .db",
        _ => "look at the file system that it is on",
    }
}

fn sqlite_remedy(source: &rusqlite::Error) -> &'static str {
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "make room on its file system",
        Some(ErrorCode::ReadOnly) => "make the file and its folder writable",
        Some(ErrorCode::CannotOpen) => "look whether its folder exists and may be entered",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "end other programs that write to it"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "name another store with --store; a recorder that writes this one sets it aside and \
             begins a new one"
        }
        _ => "look at the file system that it is on",
    }
}

/// Gives SQLite's errors an operation and an object.
pub(super) trait Told<T> {
    fn told(self, operation: &'static str, path: &std::path::Path) -> Result<T, StoreError>;
}

impl<T> Told<T> for Result<T, rusqlite::Error> {
    fn told(self, operation: &'static str, path: &std::path::Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sqlite { operation, path: path.to_owned(), source })
    }
}

impl<T> Told<T> for Result<T, io::Error> {
    fn told(self, operation: &'static str, path: &std::path::Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Io { operation, path: path.to_owned(), source })
    }
}
