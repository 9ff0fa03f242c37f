//! Events, in chunks: a reader that is slow holds no transaction open, which
//! would keep the log from being emptied.

use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use rustc_hash::FxHashMap;

use super::{super::payload, rows};
use crate::{
    model::{Event, EventKind, Payload, Persona, Process, ProcessKey, WallTime, Watch},
    store::EventQuery,
};

/// Events of one chunk, before the filter.
const CHUNK: i64 = 4096;
/// Subjects that are kept in memory.
const MOST_SUBJECTS: usize = 100_000;

/// Why a chunk could not be read.
pub(super) enum ChunkError {
    Sqlite(rusqlite::Error),
    /// A payload or a kind that this version does not write.
    Malformed,
}

impl From<rusqlite::Error> for ChunkError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// A process as it was at a moment.
#[derive(Debug)]
pub(super) struct Subject {
    key: ProcessKey,
    ppid: Option<u32>,
    uid: Option<u32>,
    comm: Option<Vec<u8>>,
    cgroup: Option<Vec<u8>>,
    persona: Option<Persona>,
}

/// Subjects by their numbers, for as long as one query takes: a number is given
/// again when all that had it has long gone.
pub(super) type Subjects = FxHashMap<i64, Subject>;

/// An event that waits to be handed over when the transaction is over.
struct Stored {
    id: i64,
    moved: i64,
    ktime_ns: u64,
    kind: EventKind,
    subject: Option<i64>,
    tid: Option<u32>,
    name: Option<Vec<u8>>,
    payload: Vec<u8>,
}

/// Hands one chunk over; where the next one begins, if there is one.
pub(super) fn chunk(
    connection: &Connection,
    subjects: &mut Subjects,
    query: &EventQuery,
    from: i64,
    each: &mut dyn FnMut(&Event<'_>) -> ControlFlow<()>,
) -> Result<Option<i64>, ChunkError> {
    if subjects.len() > MOST_SUBJECTS {
        subjects.clear();
    }
    let transaction = connection.unchecked_transaction()?;
    let mut last = None;
    let mut events = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT events.id, moved, boot_ns, kind, subject, tid, text, payload \
         FROM events LEFT JOIN names ON names.id = name \
         WHERE events.id >= ?1 AND events.id < ?2 ORDER BY events.id LIMIT ?3",
    )?;
    let mut count = 0;
    let mut found = statement.query(params![from, query.range.until.unix_ns, CHUNK])?;
    while let Some(row) = found.next()? {
        count += 1;
        last = Some(row.get::<_, i64>(0)?);
        let kind = payload::kind_of(row.get(3)?).ok_or(ChunkError::Malformed)?;
        if !query.kinds.is_empty() && !query.kinds.contains(&kind) {
            continue;
        }
        let subject: Option<i64> = row.get(4)?;
        if let Some(subject) = subject
            && !subjects.contains_key(&subject)
            && let Some(read) = read_subject(connection, subject)?
        {
            subjects.insert(subject, read);
        }
        if is_wanted(query, subject.and_then(|subject| subjects.get(&subject))) {
            events.push(stored(row, kind, subject)?);
        }
    }
    drop(found);
    drop(statement);
    transaction.commit()?;
    for event in &events {
        let subject = event.subject.and_then(|subject| subjects.get(&subject));
        let payload = payload::decode(event.kind, event.name.as_deref(), &event.payload)
            .ok_or(ChunkError::Malformed)?;
        if hand_over(event, subject, payload, each).is_break() {
            return Ok(None);
        }
    }
    Ok(last.filter(|_| count == CHUNK).and_then(|last| last.checked_add(1)))
}

fn hand_over(
    event: &Stored,
    subject: Option<&Subject>,
    payload: Payload<'_>,
    each: &mut dyn FnMut(&Event<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    each(&Event {
        ktime_ns: event.ktime_ns,
        wall_time: WallTime { unix_ns: event.id.saturating_sub(event.moved) },
        process: subject.map(|subject| Process {
            key: subject.key,
            tid: event.tid.map(|tid| if tid == 0 { subject.key.tgid } else { tid }),
            ppid: subject.ppid,
            uid: subject.uid,
            comm: subject.comm.as_deref(),
            cgroup_path: subject.cgroup.as_deref(),
            watch: Watch::default(),
        }),
        persona: subject.and_then(|subject| subject.persona.as_ref()),
        persona_root: None,
        payload,
    })
}

fn stored(row: &Row<'_>, kind: EventKind, subject: Option<i64>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        id: row.get(0)?,
        moved: row.get(1)?,
        ktime_ns: row.get::<_, i64>(2)?.cast_unsigned(),
        kind,
        subject,
        tid: row.get(5)?,
        name: row.get(6)?,
        payload: row.get(7)?,
    })
}

fn is_wanted(query: &EventQuery, subject: Option<&Subject>) -> bool {
    let persona = subject.and_then(|subject| subject.persona.as_ref());
    query.key.is_none_or(|key| subject.is_some_and(|subject| subject.key == key))
        && query
            .persona
            .as_ref()
            .is_none_or(|wanted| persona.is_some_and(|persona| persona.name == *wanted))
}

fn read_subject(connection: &Connection, id: i64) -> rusqlite::Result<Option<Subject>> {
    connection
        .prepare_cached(
            "SELECT tgid, start_time, ppid, uid, \
             (SELECT text FROM names WHERE names.id = comm), \
             (SELECT text FROM names WHERE names.id = cgroup), \
             (SELECT CAST(text AS TEXT) FROM names WHERE names.id = persona), \
             (SELECT CAST(text AS TEXT) FROM names WHERE names.id = genome_id) \
             FROM subjects WHERE id = ?1",
        )?
        .query_row([id], |row| {
            Ok(Subject {
                key: ProcessKey {
                    tgid: row.get(0)?,
                    start_time: row.get::<_, i64>(1)?.cast_unsigned(),
                },
                ppid: row.get(2)?,
                uid: row.get(3)?,
                comm: row.get(4)?,
                cgroup: row.get(5)?,
                persona: rows::persona(row.get(6)?, row.get(7)?),
            })
        })
        .optional()
}
