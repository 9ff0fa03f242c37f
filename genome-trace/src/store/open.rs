//! Opening a store to write it: its folder, its lock, who may read it, and
//! what becomes of a damaged one.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{
        DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown,
        fchown,
    },
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use rustix::fs::{FlockOperation, flock};

use super::{
    clock::now,
    error::{Severity, StoreError, Told as _},
    log::LogKeeper,
    place::Place,
    schema::{self, MIGRATIONS},
};

/// The group reads, nobody else does. A reader needs no right to write: SQLite
/// takes its locks in the `-shm` file with a descriptor that only reads, too.
/// The files beside the database get its mode and group from SQLite.
const FILE_MODE: u32 = 0o640;
/// What is made in the folder belongs to its group.
const FOLDER_MODE: u32 = 0o2750;
const LOCK_MODE: u32 = 0o600;

/// How long another program's write may hold up ours before it counts as a
/// failure.
const BUSY: Duration = Duration::from_secs(1);

/// What a long reader made the log grow beyond is given back.
const WAL_KEPT_BYTES: u32 = 32 << 20;

/// A store that is open to be written.
pub(super) struct Opened {
    pub(super) connection: Connection,
    log: LogKeeper,
    /// Which file it is: by its name it may be another one tomorrow.
    identity: (u64, u64),
    /// Held as long as this is open.
    _lock: Lock,
}

/// The right to write, given up when dropped.
struct Lock(File);

impl Drop for Lock {
    /// Said, not left to the descriptor's end: a process that was forked off
    /// and has not run its program yet has that descriptor, too.
    fn drop(&mut self) {
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

/// Opens a store, and makes it where there is none. A damaged one is set
/// aside, and told in the second value.
pub(super) fn open(
    place: &Place,
    group: Option<u32>,
    is_damaged: bool,
) -> Result<(Opened, Option<PathBuf>), StoreError> {
    make_folder(place.folder(), group)?;
    let lock = lock(place)?;
    let mut aside = None;
    if is_damaged {
        aside = set_aside(place)?;
    }
    let (connection, identity) = match connect(place, group) {
        Err(error) if error.severity() == Severity::Corrupt && !is_damaged => {
            aside = set_aside(place)?;
            connect(place, group)?
        }
        other => other?,
    };
    let log = LogKeeper::begin(place.file())?;
    Ok((Opened { connection, log, identity, _lock: lock }, aside))
}

impl Opened {
    /// Whether the store's name still leads to the file that is open. SQLite
    /// goes on writing to a file that has no name.
    pub(super) fn is_in_place(&self, place: &Place) -> bool {
        place.identity().is_ok_and(|identity| identity == self.identity)
    }

    /// Looks after the log, when a commit has been made.
    pub(super) fn look_after_log(&self) -> rusqlite::Result<()> {
        self.log.look(&self.connection)
    }

    /// Moves what is in the log into the database, and makes the log empty.
    pub(super) fn checkpoint(self, place: &Place) -> Result<(), StoreError> {
        // Two at a time would refuse each other.
        drop(self.log);
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .told("empty the log of", place.file())
    }
}

fn make_folder(folder: &Path, group: Option<u32>) -> Result<(), StoreError> {
    match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        Ok(()) => {
            if group.is_some() {
                chown(folder, None, group).told("give the group the folder", folder)?;
            }
            // Again, for mkdir heeds the umask and chown takes the bit away.
            fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE))
                .told("let the group into the folder", folder)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).told("make the folder", folder),
    }
}

fn lock(place: &Place) -> Result<Lock, StoreError> {
    let path = place.lock();
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(LOCK_MODE)
        .open(&path)
        .told("make the lock file", &path)?;
    give_to_owner_of_folder(&file, place)
        .told("give the lock file to the folder's owner", &path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(StoreError::InUse { path: place.file().to_owned() })
        }
        Err(error) => Err(io::Error::from(error)).told("lock", &path),
    }
}

/// What root makes in a recorder's folder is the folder's owner's: a recorder
/// that runs as a user of its own must be able to go on with it. A folder of
/// another sort may be anybody's, who need not know what happens here.
fn give_to_owner_of_folder(file: &File, place: &Place) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let folder = fs::metadata(place.folder())?;
    let is_recorders = folder.mode() & 0o7777 == FOLDER_MODE;
    if !is_recorders || file.metadata()?.uid() == folder.uid() {
        return Ok(());
    }
    fchown(file, Some(folder.uid()), None)
}

fn make_file(place: &Place, group: Option<u32>) -> Result<(), StoreError> {
    let path = place.file();
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path) {
        Ok(file) => {
            give_to_owner_of_folder(&file, place)
                .told("give the store to the folder's owner", path)?;
            if group.is_some() {
                chown(path, None, group).told("give the group the store", path)?;
            }
            file.set_permissions(Permissions::from_mode(FILE_MODE))
                .told("let the group read the store", path)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).told("make the store", path),
    }
}

fn connect(place: &Place, group: Option<u32>) -> Result<(Connection, (u64, u64)), StoreError> {
    let path = place.file();
    make_file(place, group)?;
    let identity = place.identity().told("look at the store", path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).told("open the store", path)?;
    connection.busy_timeout(BUSY).told("open the store", path)?;
    // Whose file it is, before anything in it is changed.
    schema::inspect(&connection, place, schema::version_of(MIGRATIONS))?;
    set_up(&connection).told("open the store", path)?;
    schema::upgrade(&connection, place, MIGRATIONS)?;
    Ok((connection, identity))
}

pub(super) fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    // Takes effect in a new file only, and must come before its first page.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    // The log survives a kill in any case; only a power loss takes what came
    // after the last checkpoint, and damages nothing.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // `log` says when.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection
        .query_row(&format!("PRAGMA journal_size_limit = {WAL_KEPT_BYTES}"), [], |_| Ok(()))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // The files beside the database stay when the writer ends: those who may
    // only read could not make them, and could not open the store then.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Else a statement that is given another time is planned anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Renames a store to a name that nothing has, and says to which.
fn set_aside(place: &Place) -> Result<Option<PathBuf>, StoreError> {
    let mut attempt = 0;
    let names = loop {
        let names = place.aside(now(), attempt);
        if names.iter().all(|(_, to)| !to.exists()) {
            break names;
        }
        attempt += 1;
    };
    let mut aside = None;
    for (from, to) in names {
        match fs::rename(&from, &to) {
            Ok(()) => aside = aside.or(Some(to)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).told("set aside", &from),
        }
    }
    Ok(aside)
}
