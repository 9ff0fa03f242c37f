//! What personas are used to: one row for each persona and quantity, and orders
//! to forget some.
//!
//! An order is a row, too, of the persona without a name, which no persona is:
//! its genome id is the name of whom to forget, empty for everybody. Whoever may
//! write the store's file may give one. The recorder reads the orders whenever
//! it writes what it has learned, writes nothing that was learned before them,
//! and is told of them by the store's status.

use rusqlite::{Connection, OpenFlags, params};
use rustix::{
    fs::{Access, AtFlags, CWD, accessat},
    io::Errno,
};
use serde::Deserialize;

use super::{
    StoreError,
    error::Told as _,
    open,
    place::Place,
    schema::{self, Found, MIGRATIONS},
    status::ForgetOrder,
};
use crate::model::{BaselineRow, Persona, WallTime};

/// Habits that were not learned from for so long are let go: 90 days.
const KEPT_NS: i64 = 90 * 24 * 3_600 * 1_000_000_000;
/// Rows that are kept: those of the personas that a recorder remembers.
const ROWS_MAX: i64 = 8_192;
/// Orders are kept for a day: a recorder sees them within minutes.
const ORDERS_KEPT_NS: i64 = 24 * 3_600 * 1_000_000_000;

const CHANGE: &str = "change the store";

/// Writes what has changed, and returns the orders that there are. Inside of
/// the caller's transaction.
pub(super) fn write(
    connection: &Connection,
    rows: &[BaselineRow],
) -> rusqlite::Result<Vec<ForgetOrder>> {
    let latest = rows.iter().map(|row| row.updated.unix_ns).max();
    if let Some(latest) = latest {
        connection
            .prepare_cached("DELETE FROM baselines WHERE persona = '' AND updated_ns < ?1")?
            .execute([latest.saturating_sub(ORDERS_KEPT_NS)])?;
    }
    let orders = orders(connection)?;
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO baselines (persona, genome_id, quantity, updated_ns, record) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for row in rows {
        let is_forgotten = |order: &ForgetOrder| {
            order.persona.as_ref().is_none_or(|name| *name == row.persona.name)
                && row.since <= order.ordered
        };
        if row.persona.name.is_empty() || orders.iter().any(is_forgotten) {
            continue;
        }
        insert.execute(params![
            row.persona.name,
            row.persona.genome_id.as_deref().unwrap_or_default(),
            row.quantity,
            row.updated.unix_ns,
            row.record,
        ])?;
    }
    if let Some(latest) = latest {
        let oldest = latest.saturating_sub(KEPT_NS);
        connection
            .prepare_cached(
                "DELETE FROM baselines WHERE persona <> '' AND (updated_ns < ?1 OR updated_ns < \
                 (SELECT updated_ns FROM baselines ORDER BY updated_ns DESC LIMIT 1 OFFSET ?2))",
            )?
            .execute([oldest, ROWS_MAX])?;
    }
    Ok(orders)
}

fn orders(connection: &Connection) -> rusqlite::Result<Vec<ForgetOrder>> {
    connection
        .prepare_cached("SELECT genome_id, updated_ns FROM baselines WHERE persona = ''")?
        .query_map([], |row| {
            let name: String = row.get(0)?;
            let persona = (!name.is_empty()).then_some(name);
            Ok(ForgetOrder { persona, ordered: WallTime { unix_ns: row.get(1)? } })
        })?
        .collect()
}

/// What of a record a store understands.
#[derive(Deserialize)]
struct Kept {
    since_ns: i64,
}

/// Every row, by persona. One that makes no sense is passed over.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<BaselineRow>> {
    let rows: Vec<Option<BaselineRow>> = connection
        .prepare_cached(
            "SELECT persona, genome_id, quantity, updated_ns, record FROM baselines \
             WHERE persona <> '' ORDER BY persona, genome_id, quantity",
        )?
        .query_map([], |row| {
            let genome_id: String = row.get(1)?;
            let genome_id = (!genome_id.is_empty()).then_some(genome_id);
            let record: String = row.get(4)?;
            let Ok(kept) = serde_json::from_str::<Kept>(&record) else { return Ok(None) };
            Ok(Some(BaselineRow {
                persona: Persona { name: row.get(0)?, genome_id },
                quantity: row.get(2)?,
                since: WallTime { unix_ns: kept.since_ns },
                updated: WallTime { unix_ns: row.get(3)? },
                record,
            }))
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows.into_iter().flatten().collect())
}

/// Deletes what was learned of a persona, or of everybody, and orders a
/// recorder that runs to forget it, too. How many rows there were.
///
/// # Errors
/// There is no store, it may not be written, or it is of another version.
pub fn forget_baselines(
    place: &Place,
    persona: Option<&str>,
    now: WallTime,
) -> Result<usize, StoreError> {
    let path = place.file();
    match accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Err(StoreError::Missing { path: path.to_owned() }),
        Err(error) => return Err(std::io::Error::from(error)).told(CHANGE, path),
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).told(CHANGE, path)?;
    // A recorder's batch is committed in less.
    connection.busy_timeout(std::time::Duration::from_secs(5)).told(CHANGE, path)?;
    let known = schema::version_of(MIGRATIONS);
    match schema::inspect(&connection, place, known)? {
        Found::Version(found) if found == known => {}
        Found::Version(found) => {
            return Err(StoreError::Outdated { path: path.to_owned(), found, known });
        }
        Found::Empty => return Err(StoreError::Missing { path: path.to_owned() }),
    }
    let change = || -> rusqlite::Result<usize> {
        open::set_up(&connection)?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let gone = connection.execute(
            "DELETE FROM baselines WHERE persona <> '' AND (?1 IS NULL OR persona = ?1)",
            [persona],
        )?;
        connection.execute(
            "INSERT OR REPLACE INTO baselines (persona, genome_id, quantity, updated_ns, record) \
             VALUES ('', ?1, 'forget', ?2, '{}')",
            params![persona.unwrap_or_default(), now.unix_ns],
        )?;
        connection.execute_batch("COMMIT")?;
        Ok(gone)
    };
    change().told(CHANGE, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        schema::upgrade(&connection, &Place::new(std::path::Path::new("a.db")), MIGRATIONS)
            .unwrap();
        connection
    }

    fn row(name: &str, genome_id: Option<&str>, since: i64, updated: i64) -> BaselineRow {
        let genome_id = genome_id.map(str::to_owned);
        BaselineRow {
            persona: Persona { name: name.to_owned(), genome_id },
            quantity: "threads".to_owned(),
            since: WallTime { unix_ns: since },
            updated: WallTime { unix_ns: updated },
            record: format!("{{\"since_ns\":{since}}}"),
        }
    }

    #[test]
    fn rows_are_replaced_and_read_back() {
        let connection = store();
        let (one, other) = (row("A", None, 5, 6), row("A", Some("a3f9"), 7, 8));
        write(&connection, &[one.clone(), other.clone()]).unwrap();
        assert_eq!(read(&connection).unwrap(), [one, other.clone()]);
        let newer = row("A", None, 5, 9);
        write(&connection, std::slice::from_ref(&newer)).unwrap();
        assert_eq!(read(&connection).unwrap(), [newer, other]);
    }

    #[test]
    fn what_is_long_ago_goes_and_so_does_what_is_too_much() {
        let connection = store();
        write(&connection, &[row("old", None, 1, 1)]).unwrap();
        write(&connection, &[row("new", None, 1, KEPT_NS + 2)]).unwrap();
        assert_eq!(read(&connection).unwrap().len(), 1);
        let many: Vec<_> =
            (0..ROWS_MAX + 100).map(|n| row(&n.to_string(), None, 1, KEPT_NS + n)).collect();
        write(&connection, &many).unwrap();
        assert_eq!(read(&connection).unwrap().len() as i64, ROWS_MAX + 1);
    }

    #[test]
    fn nothing_is_written_that_was_learned_before_an_order() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(&folder.path().join("a.db"));
        let missing = forget_baselines(&place, None, WallTime { unix_ns: 1 });
        assert!(matches!(missing, Err(StoreError::Missing { .. })), "{missing:?}");
        let connection = Connection::open(place.file()).unwrap();
        schema::upgrade(&connection, &place, MIGRATIONS).unwrap();
        write(&connection, &[row("A", None, 5, 6), row("B", None, 5, 6)]).unwrap();
        let ordered = WallTime { unix_ns: 10 };
        assert_eq!(forget_baselines(&place, Some("A"), ordered).unwrap(), 1);
        let orders = write(&connection, &[row("A", None, 5, 12), row("B", None, 5, 12)]).unwrap();
        assert_eq!(orders, [ForgetOrder { persona: Some("A".to_owned()), ordered }]);
        assert_eq!(read(&connection).unwrap(), [row("B", None, 5, 12)]);
        // What was learned since is another matter.
        write(&connection, &[row("A", None, 11, 12)]).unwrap();
        assert_eq!(read(&connection).unwrap().len(), 2);
        assert_eq!(forget_baselines(&place, None, WallTime { unix_ns: 20 }).unwrap(), 2);
        let orders = write(&connection, &[row("A", None, 11, ORDERS_KEPT_NS + 15)]).unwrap();
        assert_eq!(orders, [ForgetOrder { persona: None, ordered: WallTime { unix_ns: 20 } }]);
    }
}
