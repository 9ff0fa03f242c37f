//! One batch of items: a transaction.

use std::collections::HashMap;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};
use rustc_hash::FxHashMap;

use super::{
    baselines,
    intern::Interned,
    item::{EventCopy, Item, Part},
    payload,
    process_row::{self, Changes},
    status::ForgetOrder,
};
use crate::model::{
    Act, Alert, Crash, EventKind, Gap, Metric, ProcessKey, RoomSample, Sample, SampleSource,
};

/// What is known of the rows that earlier batches wrote. After a batch that
/// failed its rows are not there: [`Known::forget`].
#[derive(Default)]
pub(super) struct Known {
    interned: Interned,
    /// The number of each series, and when it was seen; by their source.
    series: HashMap<SampleSource, [Option<Series>; Metric::ALL.len()]>,
    earliest_sample_ns: Option<i64>,
    taken: Taken,
    /// What was ordered to be forgotten, where baselines were written.
    orders: Option<Vec<ForgetOrder>>,
}

/// A series' number, and when it was seen.
#[derive(Clone, Copy)]
struct Series {
    id: i64,
    seen_ns: i64,
}

/// How long a series counts as seen.
const HOUR_NS: i64 = 3_600_000_000_000;
/// Series are looked up again after those of that many: this is memory.
const MOST_SOURCES: usize = 5000;

impl Known {
    pub(super) fn forget(&mut self) {
        self.interned.forget();
        self.series.clear();
        self.taken = Taken::default();
        self.orders = None;
    }

    /// What was ordered to be forgotten, since the last such call.
    pub(super) fn take_orders(&mut self) -> Option<Vec<ForgetOrder>> {
        self.orders.take()
    }

    /// The number of a sample's series.
    fn series(&mut self, connection: &Connection, sample: &Sample) -> rusqlite::Result<i64> {
        let Sample { source, metric, .. } = sample;
        let at_ns = sample.wall_time.unix_ns;
        let seen = self.series.get(source).and_then(|of| *of.get(metric.index())?);
        if let Some(Series { id, seen_ns }) = seen
            && at_ns.saturating_sub(seen_ns) < HOUR_NS
        {
            return Ok(id);
        }
        let id = series_of(connection, source, *metric, at_ns)?;
        let of_source = self.series.entry(source.clone()).or_default();
        if let Some(slot) = of_source.get_mut(metric.index()) {
            *slot = Some(Series { id, seen_ns: at_ns });
        }
        Ok(id)
    }

    /// The time of the earliest sample since the last such call.
    pub(super) fn take_earliest_sample_ns(&mut self) -> Option<i64> {
        self.earliest_sample_ns.take()
    }
}

/// Writes items, inside of the caller's transaction.
pub(super) fn write(
    connection: &Connection,
    known: &mut Known,
    boot: i64,
    items: &[Item],
) -> rusqlite::Result<()> {
    known.interned.begin(connection)?;
    if known.series.len() > MOST_SOURCES {
        known.series.clear();
    }
    let mut processes: FxHashMap<ProcessKey, Changes<'_>> = FxHashMap::default();
    // In the order of time, which is that of the table: rows are appended, and
    // pages are full.
    let mut events: Vec<&EventCopy> = Vec::with_capacity(items.len());
    let mut samples: Vec<&Sample> = Vec::new();
    for item in items {
        match item {
            Item::Event(event) => {
                process_row::note(event, &mut processes);
                events.push(event);
            }
            Item::Process(process) => process_row::write_record(connection, boot, process)?,
            Item::Crash(crash) => write_crash(connection, crash)?,
            Item::Alert(alert) => write_alert(connection, alert)?,
            Item::Baselines(rows) => {
                let orders = baselines::write(connection, rows)?;
                known.orders = Some(orders);
            }
            Item::Sample(sample) => samples.push(sample),
            Item::Room(room) => write_room(connection, room)?,
            Item::Act(act) => write_act(connection, act)?,
            Item::Gap(gap) => write_gap(connection, gap)?,
        }
    }
    write_samples(connection, known, &samples)?;
    events.sort_by_key(|event| event.wall_time);
    for event in events {
        write_event(connection, known, event)?;
    }
    for (key, changes) in processes {
        process_row::write(connection, boot, key, &changes)?;
    }
    Ok(())
}

fn write_event(
    connection: &Connection,
    known: &mut Known,
    event: &EventCopy,
) -> rusqlite::Result<()> {
    let interned = &mut known.interned;
    let subject = match &event.process {
        Some(process) => Some(interned.subject(connection, event, process)?),
        None => None,
    };
    let tid = event
        .process
        .and_then(|process| process.tid.map(|tid| if tid == process.key.tgid { 0 } else { tid }));
    let name = interned.name(connection, event.part(Part::Name))?;
    if let (EventKind::Exit, Some(process)) = (event.kind, &event.process) {
        interned.end(process.key);
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO events (id, moved, boot_ns, kind, subject, tid, name, payload) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let wall_ns = event.wall_time.unix_ns;
    let mut id = known.taken.first_free(wall_ns);
    loop {
        let inserted = insert.execute(params![
            id,
            id.saturating_sub(wall_ns),
            event.ktime_ns.cast_signed(),
            payload::kind_number(event.kind),
            subject,
            tid,
            name,
            event.part(Part::Payload).unwrap_or_default(),
        ]);
        match inserted {
            // An event of an earlier batch has that nanosecond.
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
                    && id < i64::MAX =>
            {
                id += 1;
            }
            Err(error) => return Err(error),
            Ok(_) => {
                known.taken.take(wall_ns, id);
                return Ok(());
            }
        }
    }
}

/// Ids without a hole between them that were given to events last. Counts are
/// taken many at a time, and all have that moment.
#[derive(Default)]
struct Taken {
    from: i64,
    last: Option<i64>,
}

impl Taken {
    /// The first id from `wall_ns` on that is not among them.
    fn first_free(&self, wall_ns: i64) -> i64 {
        match self.last {
            Some(last) if (self.from..=last).contains(&wall_ns) => last.saturating_add(1),
            _ => wall_ns,
        }
    }

    fn take(&mut self, wall_ns: i64, id: i64) {
        if self.last.is_none_or(|last| !(self.from..=last).contains(&wall_ns)) {
            // From the event's own time to its id all were taken, too.
            self.from = wall_ns;
        }
        self.last = Some(id);
    }
}

fn write_crash(connection: &Connection, crash: &Crash) -> rusqlite::Result<()> {
    let record = serde_json::to_string(crash)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection
        .prepare_cached(
            "INSERT INTO crashes (wall_ns, kind, persona, genome_id, record) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            crash.wall_time.unix_ns,
            crash.kind.name(),
            crash.persona,
            crash.genome_id,
            record,
        ])
        .map(|_| ())
}

/// An alert's row goes with what becomes of it.
fn write_alert(connection: &Connection, alert: &Alert) -> rusqlite::Result<()> {
    let record = serde_json::to_string(alert)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let persona = alert.anomaly.persona.as_ref();
    connection
        .prepare_cached(
            "INSERT INTO alerts (id, raised_ns, last_ns, ended_ns, rule, severity, persona, \
             genome_id, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
             ON CONFLICT (id) DO UPDATE SET last_ns = excluded.last_ns, \
             ended_ns = excluded.ended_ns, severity = excluded.severity, record = excluded.record",
        )?
        .execute(params![
            alert.id,
            alert.raised.unix_ns,
            alert.last.unix_ns,
            alert.ended.map(|ended| ended.unix_ns),
            alert.anomaly.rule.name(),
            alert.severity.name(),
            persona.map(|persona| persona.name.as_str()),
            persona.and_then(|persona| persona.genome_id.as_deref()),
            record,
        ])
        .map(|_| ())
}

fn write_act(connection: &Connection, act: &Act) -> rusqlite::Result<()> {
    let record = serde_json::to_string(act)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection
        .prepare_cached("INSERT INTO acts (wall_ns, alert, record) VALUES (?1, ?2, ?3)")?
        .execute(params![act.wall_time.unix_ns, act.alert, record])
        .map(|_| ())
}

/// Writes a gap; its counts as a JSON object.
pub(super) fn write_gap(connection: &Connection, gap: &Gap) -> rusqlite::Result<()> {
    let missing = gap
        .missing
        .as_ref()
        .map(serde_json::to_string)
        .transpose()
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection
        .prepare_cached(
            "INSERT INTO gaps (from_ns, until_ns, reason, missing, note) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(
            params![gap.from.unix_ns, gap.until.unix_ns, gap.reason.name(), missing, gap.note,],
        )
        .map(|_| ())
}

fn write_samples(
    connection: &Connection,
    known: &mut Known,
    samples: &[&Sample],
) -> rusqlite::Result<()> {
    if samples.is_empty() {
        return Ok(());
    }
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO samples (at_ns, series, value) VALUES (?1, ?2, ?3)",
    )?;
    for sample in samples {
        let at_ns = sample.wall_time.unix_ns;
        known.earliest_sample_ns =
            Some(known.earliest_sample_ns.map_or(at_ns, |earliest| earliest.min(at_ns)));
        insert.execute(params![at_ns, known.series(connection, sample)?, sample.value])?;
    }
    Ok(())
}

fn write_room(connection: &Connection, room: &RoomSample) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO rooms (at_ns, mount, used, total) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            room.wall_time.unix_ns,
            room.mount,
            room.used_bytes.cast_signed(),
            room.total_bytes.cast_signed(),
        ])
        .map(|_| ())
}

/// The number of a series that is seen at a time.
fn series_of(
    connection: &Connection,
    source: &SampleSource,
    metric: Metric,
    at_ns: i64,
) -> rusqlite::Result<i64> {
    let persona = source.persona.as_ref();
    let values = params![
        persona.map(|persona| persona.name.as_str()),
        source.key.map(|key| key.tgid),
        source.key.map(|key| key.start_time.cast_signed()),
        metric.name(),
        persona.and_then(|persona| persona.genome_id.as_deref()),
        at_ns,
    ];
    let found = connection
        .prepare_cached(
            "UPDATE series SET seen_ns = max(seen_ns, ?6) WHERE persona IS ?1 AND tgid IS ?2 \
             AND start_time IS ?3 AND metric = ?4 AND genome_id IS ?5 RETURNING id",
        )?
        .query_row(values, |row| row.get(0))
        .optional()?;
    if let Some(series) = found {
        return Ok(series);
    }
    connection
        .prepare_cached(
            "INSERT INTO series (persona, tgid, start_time, metric, genome_id, seen_ns) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(values)?;
    Ok(connection.last_insert_rowid())
}
