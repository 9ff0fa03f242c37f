//! Emptying the write-ahead log, beside the thread that writes: to sync a busy
//! disk may take seconds, in which a storm would fill the queue.

use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::error::{StoreError, Told as _};

/// From so many pages on the log is emptied: a checkpoint syncs the disk, so it
/// is made of many batches at once.
const ENOUGH_PAGES: i64 = 4000;
/// From so many on who writes waits for it: this is the disk's room. 64 MiB.
const MOST_PAGES: i64 = 16_000;

/// A thread that moves what is in the log into the database.
pub(super) struct LogKeeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// A checkpoint is due, or is being made.
    is_due: bool,
    is_over: bool,
}

impl LogKeeper {
    /// Opens the database once more, and begins the thread.
    pub(super) fn begin(path: &Path) -> Result<Self, StoreError> {
        let connection = connect(path).told("open the store", path)?;
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("store-log".to_owned())
            .spawn(move || theirs.work(&connection))
            .told("begin a thread that empties the log of", path)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Looks how long the log is, by the connection that writes, after a
    /// commit.
    pub(super) fn look(&self, writer: &Connection) -> rusqlite::Result<()> {
        let (pages, moved): (i64, i64) = writer
            .prepare_cached("PRAGMA wal_checkpoint(NOOP)")?
            .query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?;
        if pages < ENOUGH_PAGES || moved >= pages {
            // Once all is moved, the next commit begins the log anew.
            return Ok(());
        }
        if pages >= MOST_PAGES {
            // The first one may have begun before the latest commits.
            self.shared.settle();
            self.shared.ask();
            self.shared.settle();
        } else {
            self.shared.ask();
        }
        Ok(())
    }
}

impl Drop for LogKeeper {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It has nothing to say, and what it did not do is done later.
            let _ = thread.join();
        }
    }
}

/// Lets nobody wait for a thread that has panicked.
struct Over<'a>(&'a Shared);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self) {
        self.lock().is_due = true;
        self.changed.notify_all();
    }

    /// Waits until no checkpoint is due.
    fn settle(&self) {
        drop(self.wait_while(|state| state.is_due && !state.is_over));
    }

    fn wait_while(&self, goes_on: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed
            .wait_while(self.lock(), |state| goes_on(state))
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, connection: &Connection) {
        let _over = Over(self);
        loop {
            if self.wait_while(|state| !state.is_due && !state.is_over).is_over {
                return;
            }
            // What fails is tried again after the next batch; that a disk is
            // full or damaged, who writes finds out and tells.
            let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            drop(moved);
            self.lock().is_due = false;
            self.changed.notify_all();
        }
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // The log is open only once something was read.
    connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(folder: &Path) -> Connection {
        let connection = Connection::open(folder.join("log.db")).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE a (x BLOB)",
            )
            .unwrap();
        connection
    }

    /// Pages of the log, and how many of them are in the database, too.
    fn pages(connection: &Connection) -> (i64, i64) {
        connection
            .query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| Ok((row.get(1)?, row.get(2)?)))
            .unwrap()
    }

    fn write(connection: &Connection, pages: i64) {
        connection.execute("INSERT INTO a VALUES (zeroblob(?1))", [pages * 4096]).unwrap();
    }

    #[test]
    fn a_long_log_is_emptied_and_a_short_one_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let connection = database(folder.path());
        let keeper = LogKeeper::begin(&folder.path().join("log.db")).unwrap();
        write(&connection, 10);
        keeper.look(&connection).unwrap();
        keeper.shared.settle();
        assert_eq!(pages(&connection).1, 0);
        write(&connection, ENOUGH_PAGES);
        keeper.look(&connection).unwrap();
        keeper.shared.settle();
        let (long, moved) = pages(&connection);
        assert_eq!(long, moved);
        write(&connection, 1);
        assert!(pages(&connection).0 < 10, "the log was not begun anew");
    }

    #[test]
    fn who_writes_waits_for_a_log_that_takes_too_much_room() {
        let folder = tempfile::tempdir().unwrap();
        let connection = database(folder.path());
        let keeper = LogKeeper::begin(&folder.path().join("log.db")).unwrap();
        write(&connection, MOST_PAGES);
        keeper.look(&connection).unwrap();
        let (long, moved) = pages(&connection);
        assert!(long >= MOST_PAGES);
        assert_eq!(long, moved);
    }
}
