//! How long things are kept, and how old ones go: in steps so short that they
//! hold up no batch.

use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::model::WallTime;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Events, samples, room of file systems, and processes after their end.
    pub events: Duration,
    /// Crashes, and alerts after they were found last, with what was done about
    /// them.
    pub crashes: Duration,
    /// Samples by the minute.
    pub minutes: Duration,
    /// Samples by the hour, gaps, and when recorders ran.
    pub hours: Duration,
    /// The oldest events go before their time where the store is larger, then
    /// samples. Crashes, alerts and roll-ups stay. `None` is no limit.
    pub size_bytes: Option<u64>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            events: DAY,
            crashes: DAY * 30,
            minutes: DAY * 30,
            hours: DAY * 365,
            size_bytes: Some(2 << 30),
        }
    }
}

impl Retention {
    /// An hour more than any roll-up is kept.
    fn longest_of_samples(&self) -> Duration {
        let longest = self.events.max(self.minutes).max(self.hours);
        longest.saturating_add(Duration::from_secs(60 * 60))
    }
}

/// Rows of one step.
const ROWS: i64 = 1000;
/// Pages that one step gives back to the file system.
const VACUUM_PAGES: i64 = 256;
/// Free pages that are kept for what comes: at least so many, or a quarter.
const FREE_PAGES: i64 = 1024;
/// How often what hardly ever changes is looked at.
const SELDOM: Duration = Duration::from_secs(60 * 60);

const EVENTS: &str = "DELETE FROM events WHERE id <= (SELECT max(id) FROM \
    (SELECT id FROM events WHERE id < ?1 ORDER BY id LIMIT ?2))";
const PROCESSES: &str = "DELETE FROM processes WHERE (start_time, tgid, boot) IN \
    (SELECT start_time, tgid, boot FROM processes WHERE ended_ns < ?1 ORDER BY ended_ns LIMIT ?2)";
const CRASHES: &str = "DELETE FROM crashes WHERE id IN \
    (SELECT id FROM crashes WHERE wall_ns < ?1 ORDER BY wall_ns LIMIT ?2)";
const ALERTS: &str = "DELETE FROM alerts WHERE id IN \
    (SELECT id FROM alerts WHERE last_ns < ?1 ORDER BY last_ns LIMIT ?2)";
/// A series is seen within an hour of each of its samples.
const SERIES: &str = "DELETE FROM series WHERE id IN \
    (SELECT id FROM series WHERE seen_ns < ?1 ORDER BY seen_ns LIMIT ?2)";
const ACTS: &str = "DELETE FROM acts WHERE id IN \
    (SELECT id FROM acts WHERE wall_ns < ?1 ORDER BY wall_ns LIMIT ?2)";
const GAPS: &str = "DELETE FROM gaps WHERE id IN \
    (SELECT id FROM gaps WHERE until_ns < ?1 ORDER BY until_ns LIMIT ?2)";
const SAMPLES: &str = "DELETE FROM samples WHERE at_ns <= (SELECT max(at_ns) FROM \
    (SELECT at_ns FROM samples WHERE at_ns < ?1 ORDER BY at_ns LIMIT ?2))";
const ROOMS: &str = "DELETE FROM rooms WHERE at_ns <= (SELECT max(at_ns) FROM \
    (SELECT at_ns FROM rooms WHERE at_ns < ?1 ORDER BY at_ns LIMIT ?2))";
const MINUTES: &str = "DELETE FROM samples_minute WHERE at_ns <= (SELECT max(at_ns) FROM \
    (SELECT at_ns FROM samples_minute WHERE at_ns < ?1 ORDER BY at_ns LIMIT ?2))";
const HOURS: &str = "DELETE FROM samples_hour WHERE at_ns <= (SELECT max(at_ns) FROM \
    (SELECT at_ns FROM samples_hour WHERE at_ns < ?1 ORDER BY at_ns LIMIT ?2))";

/// Names and subjects of generations whose last event has gone.
const NAMES: &str = "DELETE FROM names WHERE id IN \
    (SELECT id FROM names WHERE id < ?1 ORDER BY id LIMIT ?2)";
const SUBJECTS: &str = "DELETE FROM subjects WHERE id IN \
    (SELECT id FROM subjects WHERE id < ?1 ORDER BY id LIMIT ?2)";
/// The latest generation before all events that are left.
const GENERATION: &str = "SELECT id, name, subject FROM generations WHERE after_event < \
    coalesce((SELECT min(id) FROM events), 9223372036854775807) ORDER BY id DESC LIMIT 1";

/// Whose end nobody saw, for it came with the machine's.
const PROCESSES_OF_OTHER_BOOTS: &str = "DELETE FROM processes WHERE ended_ns IS NULL \
    AND boot <> ?1 AND coalesce(started_ns, 0) < ?2";
const RUNS: &str = "DELETE FROM runs WHERE until_ns < ?1";

/// A step: whether there is more to do.
type Step = fn(&Retention, &Connection, WallTime) -> rusqlite::Result<bool>;

/// Lets old things go.
pub(super) struct Retirement {
    seldom: Option<Instant>,
}

impl Retirement {
    pub(super) const fn new() -> Self {
        Self { seldom: None }
    }

    /// Goes on for about `budget`; whether there was no time for all that is to
    /// go. Each statement is a transaction.
    pub(super) fn step(
        &mut self,
        connection: &Connection,
        retention: &Retention,
        boot: i64,
        now: WallTime,
        budget: Duration,
    ) -> rusqlite::Result<bool> {
        let begun = Instant::now();
        // In the order of what takes most room; each until it has no more.
        let steps: [Step; 13] = [
            |kept, db, now| delete(db, EVENTS, before(now, kept.events)),
            |kept, db, now| delete(db, SAMPLES, before(now, kept.events)),
            |kept, db, _| make_room(db, kept.size_bytes),
            |_, db, _| delete_interned(db),
            |kept, db, now| delete(db, PROCESSES, before(now, kept.events)),
            |kept, db, now| delete(db, ROOMS, before(now, kept.events)),
            |kept, db, now| delete(db, MINUTES, before(now, kept.minutes)),
            |kept, db, now| delete(db, HOURS, before(now, kept.hours)),
            |kept, db, now| delete(db, CRASHES, before(now, kept.crashes)),
            |kept, db, now| delete(db, ACTS, before(now, kept.crashes)),
            |kept, db, now| delete(db, ALERTS, before(now, kept.crashes)),
            |kept, db, now| delete(db, GAPS, before(now, kept.hours)),
            |kept, db, now| delete(db, SERIES, before(now, kept.longest_of_samples())),
        ];
        for step in steps {
            while step(retention, connection, now)? {
                if begun.elapsed() >= budget {
                    return Ok(true);
                }
            }
        }
        if self.seldom.is_none_or(|last| last.elapsed() >= SELDOM) {
            self.seldom = Some(Instant::now());
            look_seldom(connection, retention, boot, now)?;
        }
        while give_back(connection, retention.size_bytes)? {
            if begun.elapsed() >= budget {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The wall time at which what is kept begins.
pub(super) fn before(now: WallTime, kept: Duration) -> i64 {
    let kept = i64::try_from(kept.as_nanos()).unwrap_or(i64::MAX);
    now.unix_ns.saturating_sub(kept)
}

fn look_seldom(
    connection: &Connection,
    retention: &Retention,
    boot: i64,
    now: WallTime,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(PROCESSES_OF_OTHER_BOOTS)?
        .execute(params![boot, before(now, retention.events)])?;
    connection.prepare_cached(RUNS)?.execute([before(now, retention.hours)])?;
    Ok(())
}

/// Whether there may be more.
fn delete(connection: &Connection, statement: &str, bound: i64) -> rusqlite::Result<bool> {
    let deleted = connection.prepare_cached(statement)?.execute([bound, ROWS])?;
    Ok(deleted as u64 >= ROWS as u64)
}

fn make_room(connection: &Connection, limit: Option<u64>) -> rusqlite::Result<bool> {
    let Some(limit) = limit else { return Ok(false) };
    let pages = Pages::count(connection)?;
    if pages.used_bytes() <= limit {
        return Ok(false);
    }
    for statement in [EVENTS, SAMPLES] {
        if connection.prepare_cached(statement)?.execute([i64::MAX, ROWS])? > 0 {
            // What names and subjects take goes with their events.
            delete_interned(connection)?;
            return Ok(true);
        }
    }
    Ok(false)
}

fn delete_interned(connection: &Connection) -> rusqlite::Result<bool> {
    let generation = connection.prepare_cached(GENERATION)?.query_row([], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    });
    let (id, name, subject) = match generation {
        Err(rusqlite::Error::QueryReturnedNoRows) => return Ok(false),
        other => other?,
    };
    let has_more = delete(connection, NAMES, name)? | delete(connection, SUBJECTS, subject)?;
    if !has_more {
        connection.prepare_cached("DELETE FROM generations WHERE id < ?1")?.execute([id])?;
    }
    Ok(has_more)
}

/// Gives free pages at the end of the file back; whether there are more.
fn give_back(connection: &Connection, limit: Option<u64>) -> rusqlite::Result<bool> {
    let pages = Pages::count(connection)?;
    let is_over = limit.is_some_and(|limit| pages.file_bytes() > limit);
    let kept = if is_over { 0 } else { FREE_PAGES.max(pages.all / 4) };
    if pages.free <= kept {
        return Ok(false);
    }
    let mut vacuum =
        connection.prepare_cached(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    Ok(pages.free - kept > VACUUM_PAGES)
}

struct Pages {
    all: i64,
    free: i64,
    size: i64,
}

impl Pages {
    fn count(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |pragma: &str| {
            connection.prepare_cached(pragma)?.query_row([], |row| row.get::<_, i64>(0))
        };
        Ok(Self {
            all: number("PRAGMA page_count")?,
            free: number("PRAGMA freelist_count")?,
            size: number("PRAGMA page_size")?,
        })
    }

    fn used_bytes(&self) -> u64 {
        u64::try_from((self.all - self.free).saturating_mul(self.size)).unwrap_or(0)
    }

    fn file_bytes(&self) -> u64 {
        u64::try_from(self.all.saturating_mul(self.size)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
