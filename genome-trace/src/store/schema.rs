//! The schema: its versions, and how an older store becomes a newer one.
//!
//! - An event's `id` is its wall time in nanoseconds, moved on by `moved` where
//!   another event has that time. So a range of time is a range of the table
//!   itself, and no index has to be kept.
//! - Names (comm, paths, personas) and subjects (a process as it was at a
//!   moment) are interned anew every hour, so those of an hour can go when its
//!   events have gone, and nobody counts references.
//! - Crashes and processes hold all of theirs: they outlive the events.
//! - A sample's series says of whom and of what it is. `samples`,
//!   `samples_minute` and `samples_hour` are the three resolutions.

use rusqlite::Connection;

use super::{
    error::{StoreError, Told as _},
    place::Place,
};

/// `PRAGMA application_id`, by which file(1) and we know our files: `gtrc`.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"gtrc");

/// What makes version n of version n - 1. None is ever changed once released.
pub(super) const MIGRATIONS: &[&str] =
    &[include_str!("schema/v1.sql"), include_str!("schema/v2.sql")];

/// The version that this program writes.
pub(super) const fn version_of(migrations: &[&str]) -> u32 {
    migrations.len() as u32
}

/// What a file says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A database with nothing in it.
    Empty,
    /// A store with a schema of this version.
    Version(u32),
}

/// Looks whose database it is, and refuses those that are not for us.
pub(super) fn inspect(
    connection: &Connection,
    place: &Place,
    known: u32,
) -> Result<Found, StoreError> {
    let read = || -> rusqlite::Result<(i32, u32, bool)> {
        let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get(0));
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let is_empty =
            connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| {
                row.get(0)
            })?;
        Ok((number("application_id")?, version, is_empty))
    };
    let (application, found, is_empty) = read().told("read the store", place.file())?;
    let path = || place.file().to_owned();
    match (application, found) {
        (0, 0) if is_empty => Ok(Found::Empty),
        (APPLICATION_ID, found) if found > known => {
            Err(StoreError::Future { path: path(), found, known })
        }
        (APPLICATION_ID, found) => Ok(Found::Version(found)),
        _ => Err(StoreError::Foreign { path: path() }),
    }
}

/// Brings a store up to date, or makes one: all steps or none.
pub(super) fn upgrade(
    connection: &Connection,
    place: &Place,
    migrations: &[&str],
) -> Result<(), StoreError> {
    let known = version_of(migrations);
    let have = match inspect(connection, place, known)? {
        Found::Empty => 0,
        Found::Version(version) => version,
    };
    if have == known {
        return Ok(());
    }
    let steps = || -> rusqlite::Result<()> {
        let transaction = connection.unchecked_transaction()?;
        for step in migrations.iter().skip(have as usize) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", known)?;
        transaction.commit()
    };
    steps().told("bring the schema up to date of", place.file())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const FAKE: &[&str] = &[
        "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1), (2);",
        "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = 10 * x;",
        "CREATE TABLE b AS SELECT sum(y) AS total FROM a;",
    ];

    fn place() -> Place {
        Place::new(Path::new("test.db"))
    }

    #[test]
    fn steps_that_are_missing_are_made_and_no_others() {
        let connection = Connection::open_in_memory().unwrap();
        upgrade(&connection, &place(), &FAKE[..1]).unwrap();
        assert_eq!(inspect(&connection, &place(), 1).unwrap(), Found::Version(1));
        upgrade(&connection, &place(), FAKE).unwrap();
        upgrade(&connection, &place(), FAKE).unwrap();
        let total: i64 = connection.query_row("SELECT total FROM b", [], |row| row.get(0)).unwrap();
        assert_eq!(total, 30);
        assert_eq!(inspect(&connection, &place(), 3).unwrap(), Found::Version(3));
    }

    #[test]
    fn a_step_that_fails_leaves_the_store_as_it_was() {
        let connection = Connection::open_in_memory().unwrap();
        upgrade(&connection, &place(), &FAKE[..1]).unwrap();
        let broken = [FAKE[0], FAKE[1], "CREATE TABLE a (x)"];
        upgrade(&connection, &place(), &broken).unwrap_err();
        assert_eq!(inspect(&connection, &place(), 3).unwrap(), Found::Version(1));
        connection.prepare("SELECT y FROM a").unwrap_err();
    }

    #[test]
    fn the_future_and_other_programs_are_refused() {
        let connection = Connection::open_in_memory().unwrap();
        upgrade(&connection, &place(), FAKE).unwrap();
        let refused = upgrade(&connection, &place(), &FAKE[..2]).unwrap_err();
        let said = refused.to_string();
        assert!(matches!(refused, StoreError::Future { found: 3, known: 2, .. }), "{said}");
        assert!(said.contains("test.db") && said.contains("--store"), "{said}");

        let foreign = Connection::open_in_memory().unwrap();
        foreign.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
        assert!(matches!(upgrade(&foreign, &place(), FAKE), Err(StoreError::Foreign { .. })));
    }

    #[test]
    fn the_real_steps_make_a_store() {
        let connection = Connection::open_in_memory().unwrap();
        upgrade(&connection, &place(), MIGRATIONS).unwrap();
        assert_eq!(
            inspect(&connection, &place(), version_of(MIGRATIONS)).unwrap(),
            Found::Version(version_of(MIGRATIONS))
        );
    }
}
