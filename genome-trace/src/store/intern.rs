//! Names and subjects by number: what was written once in this hour is
//! written as its number again.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use super::item::{EventCopy, Part, ProcessNumbers};
use crate::model::ProcessKey;

/// After which time all is begun anew, so that what nobody uses can go.
const AGE: Duration = Duration::from_secs(60 * 60);
/// After how many it is begun anew before: this is memory.
const MOST_NAMES: usize = 25_000;
const MOST_SUBJECTS: usize = 50_000;

/// What of a process an event tells, its names as numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Facts {
    ppid: Option<u32>,
    uid: Option<u32>,
    comm: Option<i64>,
    cgroup: Option<i64>,
    persona: Option<i64>,
    genome_id: Option<i64>,
}

/// The numbers that were given in this generation.
#[derive(Default)]
pub(super) struct Interned {
    begun: Option<Instant>,
    /// Names come from outside: the keyed hash of the standard library.
    names: HashMap<Box<[u8]>, i64>,
    subjects: FxHashMap<ProcessKey, (Facts, i64)>,
}

impl Interned {
    /// Forgets all; the next batch begins a generation.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Begins a generation where it is time for one. To be called before the
    /// first event of a batch, in its transaction.
    pub(super) fn begin(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let is_due = self.begun.is_none_or(|begun| begun.elapsed() >= AGE);
        if !is_due && self.names.len() < MOST_NAMES && self.subjects.len() < MOST_SUBJECTS {
            return Ok(());
        }
        self.forget();
        connection
            .prepare_cached(
                "INSERT INTO generations (after_event, name, subject) SELECT \
                 coalesce((SELECT max(id) FROM events), 0), \
                 coalesce((SELECT max(id) FROM names), 0) + 1, \
                 coalesce((SELECT max(id) FROM subjects), 0) + 1",
            )?
            .execute([])?;
        self.begun = Some(Instant::now());
        Ok(())
    }

    /// The number of a name.
    pub(super) fn name(
        &mut self,
        connection: &Connection,
        name: Option<&[u8]>,
    ) -> rusqlite::Result<Option<i64>> {
        let Some(name) = name else { return Ok(None) };
        if let Some(id) = self.names.get(name) {
            return Ok(Some(*id));
        }
        connection.prepare_cached("INSERT INTO names (text) VALUES (?1)")?.execute([name])?;
        let id = connection.last_insert_rowid();
        self.names.insert(name.into(), id);
        Ok(Some(id))
    }

    /// The number of a process as an event tells of it.
    pub(super) fn subject(
        &mut self,
        connection: &Connection,
        event: &EventCopy,
        process: &ProcessNumbers,
    ) -> rusqlite::Result<i64> {
        let facts = Facts {
            ppid: process.ppid,
            uid: process.uid,
            comm: self.name(connection, event.part(Part::Comm))?,
            cgroup: self.name(connection, event.part(Part::Cgroup))?,
            persona: self.name(connection, event.part(Part::Persona))?,
            genome_id: self.name(connection, event.part(Part::GenomeId))?,
        };
        if let Some((known, id)) = self.subjects.get(&process.key)
            && *known == facts
        {
            return Ok(*id);
        }
        connection
            .prepare_cached(
                "INSERT INTO subjects (tgid, start_time, ppid, uid, comm, cgroup, persona, \
                 genome_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                process.key.tgid,
                process.key.start_time.cast_signed(),
                facts.ppid,
                facts.uid,
                facts.comm,
                facts.cgroup,
                facts.persona,
                facts.genome_id,
            ])?;
        let id = connection.last_insert_rowid();
        self.subjects.insert(process.key, (facts, id));
        Ok(id)
    }

    /// The process has ended.
    pub(super) fn end(&mut self, key: ProcessKey) {
        self.subjects.remove(&key);
    }
}
