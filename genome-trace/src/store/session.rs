//! A recorder's run in a store that is open: its rows, and its transactions.

use std::path::Path;

use rusqlite::{OptionalExtension as _, params};

use super::{
    Item,
    batch::{self, Known},
    clock::now,
    open::Opened,
};
use crate::model::{Gap, GapReason, WallTime};

const END_ALERTS: &str = "UPDATE alerts SET ended_ns = last_ns, \
    record = json_set(record, '$.ended', last_ns, '$.change', 'ended') \
    WHERE ended_ns IS NULL";

/// An open store, and this run's rows in it.
pub(super) struct Session {
    pub(super) opened: Opened,
    pub(super) boot: i64,
    run: i64,
}

/// What a store is told when a run begins in it.
pub(super) struct Beginning<'a> {
    pub(super) boot_id: &'a str,
    pub(super) recorder_begun: WallTime,
    /// The recorder's latest commit, perhaps to another file.
    pub(super) stored_at: Option<WallTime>,
    /// Where the store before was put.
    pub(super) aside: Option<&'a Path>,
}

impl Session {
    /// Begins a run, and tells the gap before it.
    pub(super) fn begin(opened: Opened, beginning: &Beginning<'_>) -> rusqlite::Result<Self> {
        let connection = &opened.connection;
        let begun = beginning.recorder_begun;
        let transaction = connection.unchecked_transaction()?;
        connection
            .execute("INSERT OR IGNORE INTO boots (uuid) VALUES (?1)", [beginning.boot_id])?;
        let boot = connection.query_row(
            "SELECT id FROM boots WHERE uuid = ?1",
            [beginning.boot_id],
            |row| row.get(0),
        )?;
        let previous: Option<i64> = connection
            .query_row("SELECT until_ns FROM runs ORDER BY id DESC LIMIT 1", [], |row| row.get(0))
            .optional()?;
        let gap = |from, until, reason, note| {
            batch::write_gap(connection, &Gap { from, until, reason, missing: None, note })
        };
        // A run of this recorder that came before has an end after its beginning.
        if let Some(unix_ns) = previous.filter(|until_ns| *until_ns < begun.unix_ns) {
            gap(WallTime { unix_ns }, begun, GapReason::NotRunning, None)?;
        }
        if let Some(aside) = beginning.aside {
            let note = aside.to_string_lossy().into_owned();
            gap(begun, now(), GapReason::SetAside, Some(note))?;
        }
        // What went on when the recorder before ended was not followed to its
        // end. This one may only go on with another file.
        if beginning.stored_at.is_none() {
            connection.execute(END_ALERTS, [])?;
        }
        let from = beginning.stored_at.unwrap_or(begun);
        connection.execute(
            "INSERT INTO runs (boot, from_ns, until_ns) VALUES (?1, ?2, ?3)",
            params![boot, from.unix_ns, now().unix_ns.max(from.unix_ns)],
        )?;
        let run = connection.last_insert_rowid();
        transaction.commit()?;
        Ok(Self { opened, boot, run })
    }

    /// Writes items as one transaction: all or none.
    pub(super) fn commit(
        &self,
        known: &mut Known,
        items: &[Item],
        gap: Option<&Gap>,
    ) -> rusqlite::Result<()> {
        let connection = &self.opened.connection;
        let transaction = connection.unchecked_transaction()?;
        batch::write(connection, known, self.boot, items)?;
        if let Some(gap) = gap {
            batch::write_gap(connection, gap)?;
        }
        connection
            .prepare_cached("UPDATE runs SET until_ns = max(until_ns, ?2) WHERE id = ?1")?
            .execute(params![self.run, now().unix_ns])?;
        transaction.commit()?;
        // The items are stored. A log that is not emptied now is so later.
        let looked = self.opened.look_after_log();
        drop(looked);
        Ok(())
    }

    /// Says that the run is over, and was not cut off.
    pub(super) fn end(&self) -> rusqlite::Result<()> {
        self.opened
            .connection
            .execute(
                "UPDATE runs SET is_over = 1, until_ns = max(until_ns, ?2) WHERE id = ?1",
                params![self.run, now().unix_ns],
            )
            .map(|_| ())
    }
}
