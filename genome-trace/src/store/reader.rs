//! The side that reads, while somebody else writes or nobody does.

mod events;
mod rows;
mod tracks;

use std::{
    fmt::Write as _, io, ops::ControlFlow, os::unix::ffi::OsStrExt as _, path::Path, time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};
use rustix::{
    fs::{Access, AtFlags, CWD, accessat},
    io::Errno,
};

use super::{
    AlertQuery, CrashId, CrashQuery, EventQuery, History, Resolution, SampleQuery, StoreError,
    StoredCrash, TrackQuery, baselines,
    error::Told as _,
    place::Place,
    schema::{self, Found, MIGRATIONS},
};
use crate::model::{
    Act, Alert, BaselineRow, Event, Gap, Metric, PersonaProgram, ProcessKey, ProcessRecord,
    RecorderRun, RollUp, RoomSample, TimeRange, Track, WallTime,
};

/// How long a reader waits where the store is being recovered or upgraded.
const BUSY: Duration = Duration::from_secs(5);

const READ: &str = "read the store";

/// Reads a store in SQLite. It needs the right to read the store's files, and
/// no right to write any. It stays with one file: where a recorder begins a new
/// one, a new reader is needed.
#[derive(Debug)]
pub struct Reader {
    place: Place,
    connection: Connection,
    /// Which file it reads; `None` where that is taken not to change.
    identity: Option<(u64, u64)>,
}

impl Reader {
    /// Opens a store.
    ///
    /// # Errors
    /// There is none, it may not be read, or it is of another version.
    pub fn open(place: Place) -> Result<Self, StoreError> {
        let path = place.file();
        // Not by opening it: to close a descriptor takes away the locks that
        // another connection of this process has on the file (fcntl(2)).
        match accessat(CWD, path, Access::READ_OK, AtFlags::EACCESS) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Err(StoreError::Missing { path: path.to_owned() }),
            Err(Errno::ACCESS) => return Err(StoreError::Denied { path: path.to_owned() }),
            Err(error) => return Err(io::Error::from(error)).told("open the store", path),
        }
        if path.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory)).told("open the store", path);
        }
        let mut identity = place.identity().ok();
        let (connection, found) = match connect(&place, false) {
            // There is no log and none can be made: a copy, say. Nobody
            // writes it then, and it is whole by itself.
            Err(StoreError::Sqlite { source, .. })
                if matches!(
                    source.sqlite_error_code(),
                    // The second where it is the folder that may not be written.
                    Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
                ) && !place.wal().exists() =>
            {
                identity = None;
                connect(&place, true)?
            }
            other => other?,
        };
        let known = schema::version_of(MIGRATIONS);
        match found {
            Found::Version(found) if found == known => Ok(Self { place, connection, identity }),
            Found::Version(found) => {
                Err(StoreError::Outdated { path: place.file().to_owned(), found, known })
            }
            // Somebody is just making it, perhaps.
            Found::Empty => Err(StoreError::Empty { path: place.file().to_owned() }),
        }
    }

    /// Whether what is stored from now on will be seen: false where the store's
    /// name leads to another file by now, or none, and of a copy that was taken
    /// not to change.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.identity.is_some_and(|known| self.place.identity().is_ok_and(|now| now == known))
    }

    fn malformed(&self, what: &'static str) -> StoreError {
        StoreError::Malformed { what, path: self.place.file().to_owned() }
    }
}

fn connect(place: &Place, is_immutable: bool) -> Result<(Connection, Found), StoreError> {
    let path = place.file();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if is_immutable {
        Connection::open_with_flags(
            immutable_uri(path).told("open the store", path)?,
            flags | OpenFlags::SQLITE_OPEN_URI,
        )
    } else {
        Connection::open_with_flags(path, flags)
    };
    let connection = connection.told("open the store", path)?;
    connection.busy_timeout(BUSY).told("open the store", path)?;
    let found = schema::inspect(&connection, place, schema::version_of(MIGRATIONS))?;
    Ok((connection, found))
}

/// `file:///path?immutable=1`, with every byte that might mean something
/// escaped (sqlite.org/uri.html).
fn immutable_uri(path: &Path) -> io::Result<String> {
    let path = std::path::absolute(path)?;
    let mut uri = "file://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            write!(uri, "%{byte:02X}").map_err(io::Error::other)?;
        }
    }
    uri.push_str("?immutable=1");
    Ok(uri)
}

impl History for Reader {
    fn crashes(&self, query: &CrashQuery) -> Result<Vec<StoredCrash>, StoreError> {
        let limit = query.limit.map_or(-1, i64::from);
        // Kinds are names of ours, without a comma.
        let kinds: Vec<&str> = query.kinds.iter().map(|kind| kind.name()).collect();
        let kinds = (!kinds.is_empty()).then(|| format!(",{},", kinds.join(",")));
        let read = || -> rusqlite::Result<Vec<(i64, String)>> {
            self.connection
                .prepare_cached(
                    "SELECT id, record FROM crashes WHERE wall_ns >= ?1 AND wall_ns < ?2 \
                     AND (?3 IS NULL OR persona = ?3) AND (?4 IS NULL OR genome_id = ?4) \
                     AND (?5 IS NULL OR instr(?5, ',' || kind || ',')) \
                     ORDER BY wall_ns DESC, id DESC LIMIT ?6",
                )?
                .query_map(
                    params![
                        query.range.from.unix_ns,
                        query.range.until.unix_ns,
                        query.persona,
                        query.genome_id,
                        kinds,
                        limit,
                    ],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?
                .collect()
        };
        read()
            .told(READ, self.place.file())?
            .into_iter()
            .map(|(id, record)| self.stored_crash(id, &record))
            .collect()
    }

    fn alerts(&self, query: &AlertQuery) -> Result<Vec<Alert>, StoreError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            self.connection
                .prepare_cached(
                    "SELECT record FROM alerts WHERE last_ns >= ?1 AND raised_ns < ?2 \
                     AND (NOT ?3 OR ended_ns IS NULL) ORDER BY raised_ns DESC, id DESC",
                )?
                .query_map(
                    params![query.range.from.unix_ns, query.range.until.unix_ns, query.open],
                    |row| row.get(0),
                )?
                .collect()
        };
        let records = read().told(READ, self.place.file())?;
        let is_asked_for = |alert: &Alert| {
            let persona = alert.anomaly.persona.as_ref();
            let is_named = |name: &String| persona.is_some_and(|persona| persona.name == *name);
            (query.personas.is_empty() || query.personas.iter().any(is_named))
                && (query.rules.is_empty() || query.rules.contains(&alert.anomaly.rule))
                && query.severity.is_none_or(|least| alert.severity >= least)
        };
        let mut alerts = Vec::new();
        for record in records {
            let alert = serde_json::from_str(&record).map_err(|_| self.malformed("an alert"))?;
            if is_asked_for(&alert) {
                alerts.push(alert);
            }
        }
        Ok(alerts)
    }

    fn crash(&self, id: CrashId) -> Result<Option<StoredCrash>, StoreError> {
        let read = || -> rusqlite::Result<Option<String>> {
            self.connection
                .prepare_cached("SELECT record FROM crashes WHERE id = ?1")?
                .query_row([id.0], |row| row.get(0))
                .optional()
        };
        let record = read().told(READ, self.place.file())?;
        record.map(|record| self.stored_crash(id.0, &record)).transpose()
    }

    fn events(
        &self,
        query: &EventQuery,
        each: &mut dyn FnMut(&Event<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut from = query.range.from.unix_ns;
        let mut subjects = events::Subjects::default();
        loop {
            let next = events::chunk(&self.connection, &mut subjects, query, from, each).map_err(
                |error| match error {
                    events::ChunkError::Sqlite(source) => StoreError::Sqlite {
                        operation: READ,
                        path: self.place.file().to_owned(),
                        source,
                    },
                    events::ChunkError::Malformed => self.malformed("an event"),
                },
            )?;
            match next {
                Some(next) => from = next,
                None => return Ok(()),
            }
        }
    }

    fn gaps(&self, range: TimeRange) -> Result<Vec<Gap>, StoreError> {
        let read = || -> rusqlite::Result<Vec<Option<Gap>>> {
            self.connection
                .prepare_cached(
                    "SELECT from_ns, until_ns, reason, missing, note FROM gaps \
                     WHERE until_ns >= ?1 AND from_ns < ?2 ORDER BY from_ns, id",
                )?
                .query_map([range.from.unix_ns, range.until.unix_ns], rows::gap)?
                .collect()
        };
        read()
            .told(READ, self.place.file())?
            .into_iter()
            .map(|gap| gap.ok_or_else(|| self.malformed("a gap")))
            .collect()
    }

    fn coverage(&self) -> Result<Vec<RecorderRun>, StoreError> {
        let read = || -> rusqlite::Result<Vec<RecorderRun>> {
            self.connection
                .prepare_cached("SELECT from_ns, until_ns, is_over FROM runs ORDER BY from_ns, id")?
                .query_map([], rows::run)?
                .collect()
        };
        read().told(READ, self.place.file())
    }

    fn process(&self, key: ProcessKey) -> Result<Option<ProcessRecord>, StoreError> {
        let read = || -> rusqlite::Result<Option<ProcessRecord>> {
            self.connection
                .prepare_cached(
                    "SELECT ppid, uid, persona, genome_id, comm, cgroup, exe, argv, started_ns, \
                     ended_ns, wait_status FROM processes WHERE start_time = ?1 AND tgid = ?2 \
                     ORDER BY boot DESC LIMIT 1",
                )?
                .query_row(params![key.start_time.cast_signed(), key.tgid], |row| {
                    rows::process(key, row)
                })
                .optional()
        };
        read().told(READ, self.place.file())
    }

    fn baselines(&self) -> Result<Vec<BaselineRow>, StoreError> {
        baselines::read(&self.connection).told(READ, self.place.file())
    }

    fn samples(&self, query: &SampleQuery) -> Result<Vec<RollUp>, StoreError> {
        let (table, columns) = match query.resolution {
            Resolution::Moment => ("samples", "1, value, value, value, CAST(value AS REAL)"),
            Resolution::Minute => ("samples_minute", "count, min, max, last, average"),
            Resolution::Hour => ("samples_hour", "count, min, max, last, average"),
        };
        let statement = format!(
            "SELECT at_ns, persona, genome_id, tgid, start_time, metric, {columns} \
             FROM {table} CROSS JOIN series ON series.id = series \
             WHERE at_ns >= ?1 AND at_ns < ?2 AND (?3 IS NULL OR metric = ?3) \
             AND (?4 IS NULL OR persona = ?4) AND (?5 IS NULL OR (tgid = ?5 AND start_time = ?6)) \
             ORDER BY at_ns, series"
        );
        let read = || -> rusqlite::Result<Vec<Option<RollUp>>> {
            self.connection
                .prepare_cached(&statement)?
                .query_map(
                    params![
                        query.range.from.unix_ns,
                        query.range.until.unix_ns,
                        query.metric.map(Metric::name),
                        query.persona,
                        query.key.map(|key| key.tgid),
                        query.key.map(|key| key.start_time.cast_signed()),
                    ],
                    rows::roll_up,
                )?
                .collect()
        };
        // A metric without a name here is of a genome-trace that knew more.
        Ok(read().told(READ, self.place.file())?.into_iter().flatten().collect())
    }

    fn tracks(&self, query: &TrackQuery) -> Result<Vec<Track>, StoreError> {
        tracks::read(&self.connection, query).told(READ, self.place.file())
    }

    fn acts(&self, range: TimeRange) -> Result<Vec<Act>, StoreError> {
        let read = || {
            self.connection
                .prepare_cached(
                    "SELECT record FROM acts WHERE wall_ns >= ?1 AND wall_ns < ?2 \
                     ORDER BY wall_ns, id",
                )?
                .query_map([range.from.unix_ns, range.until.unix_ns], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<String>>>()
        };
        let records = read().told(READ, self.place.file())?;
        let acts = records.iter().map(|record| serde_json::from_str(record));
        acts.collect::<Result<_, _>>().map_err(|_| self.malformed("an act"))
    }

    fn rooms(&self, range: TimeRange) -> Result<Vec<RoomSample>, StoreError> {
        let read = || {
            self.connection
                .prepare_cached(
                    "SELECT at_ns, mount, used, total FROM rooms WHERE at_ns >= ?1 AND at_ns < ?2 \
                     ORDER BY mount, at_ns",
                )?
                .query_map([range.from.unix_ns, range.until.unix_ns], rows::room)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().told(READ, self.place.file())
    }

    fn programs(&self, range: TimeRange) -> Result<Vec<PersonaProgram>, StoreError> {
        tracks::programs(&self.connection, range).told(READ, self.place.file())
    }

    fn sampled(&self) -> Result<Option<TimeRange>, StoreError> {
        let read = || -> rusqlite::Result<(Option<i64>, Option<i64>)> {
            let mut ends = (None, None);
            for table in ["samples", "samples_minute", "samples_hour"] {
                let end = |end: &str| {
                    self.connection
                        .prepare_cached(&format!("SELECT {end}(at_ns) FROM {table}"))?
                        .query_row([], |row| row.get::<_, Option<i64>>(0))
                };
                ends.0 = ends.0.into_iter().chain(end("min")?).min();
                ends.1 = ends.1.into_iter().chain(end("max")?).max();
            }
            Ok(ends)
        };
        let (from, until) = read().told(READ, self.place.file())?;
        Ok(from.zip(until).map(|(from, until)| TimeRange {
            from: WallTime { unix_ns: from },
            until: WallTime { unix_ns: until.saturating_add(1) },
        }))
    }
}

impl Reader {
    fn stored_crash(&self, id: i64, record: &str) -> Result<StoredCrash, StoreError> {
        let crash = serde_json::from_str(record).map_err(|_| self.malformed("a crash"))?;
        Ok(StoredCrash { id: CrashId(id), crash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri() {
        let uri = immutable_uri(Path::new("/a b/ü?#%.db")).unwrap();
        assert_eq!(uri, "file:///a%20b/%C3%BC%3F%23%25.db?immutable=1");
    }
}
