//! Samples by their series: rows have the series' number alone, so that no name
//! is read again for each of a hundred thousand rows.

use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use super::rows;
use crate::{
    model::{Metric, Persona, PersonaProgram, SampleSource, Stretch, TimeRange, Track, WallTime},
    store::{Resolution, TrackQuery},
};

/// Reads what a range has, from the coarsest table that is asked for, and
/// where that does not reach from finer ones: at the range's ends, and where
/// nothing is rolled up yet.
pub(super) fn read(connection: &Connection, query: &TrackQuery) -> rusqlite::Result<Vec<Track>> {
    // All of it as of one moment.
    let transaction = connection.unchecked_transaction()?;
    let mut tracks = Tracks::of(connection, query)?;
    tracks.read(connection, query.resolution, query.range)?;
    transaction.commit()?;
    let mut found: Vec<Track> =
        tracks.found.into_iter().filter(|track| !track.stretches.is_empty()).collect();
    for track in &mut found {
        track.stretches.sort_by_key(|stretch| stretch.wall_time);
    }
    Ok(found)
}

/// The programs that ran in a range, of personas alone. Whose end nobody saw
/// ran for as long as its boot was recorded.
pub(super) fn programs(
    connection: &Connection,
    range: TimeRange,
) -> rusqlite::Result<Vec<PersonaProgram>> {
    connection
        .prepare_cached(
            "SELECT DISTINCT persona, genome_id, exe FROM processes WHERE persona NOT NULL \
             AND coalesce(started_ns < ?2, 1) AND coalesce(ended_ns, \
             (SELECT max(until_ns) FROM runs WHERE runs.boot = processes.boot), ?1) >= ?1 \
             ORDER BY 1, 2, 3",
        )?
        .query_map([range.from.unix_ns, range.until.unix_ns], |row| {
            Ok(PersonaProgram {
                persona: Persona { name: row.get(0)?, genome_id: row.get(1)? },
                exe: row.get::<_, Option<Vec<u8>>>(2)?.map(Vec::into_boxed_slice),
            })
        })?
        .collect()
}

struct Tracks {
    found: Vec<Track>,
    /// Where in `found` a series is, by its number.
    places: FxHashMap<i64, usize>,
}

impl Tracks {
    fn of(connection: &Connection, query: &TrackQuery) -> rusqlite::Result<Self> {
        let mut found = Vec::new();
        let mut places = FxHashMap::default();
        let mut statement = connection.prepare_cached(
            "SELECT id, persona, genome_id, metric FROM series \
             WHERE tgid IS NULL AND seen_ns >= ?1 ORDER BY persona, genome_id, id",
        )?;
        // A series is seen within an hour of each of its samples.
        let seen = query.range.from.unix_ns.saturating_sub(HOUR_NS);
        let mut rows = statement.query([seen])?;
        while let Some(row) = rows.next()? {
            let metric: String = row.get(3)?;
            // One without a name here is of a genome-trace that knew more.
            let Ok(metric) = metric.parse::<Metric>() else { continue };
            let persona = rows::persona(row.get(1)?, row.get(2)?);
            let name = persona.as_ref().map(|persona| &persona.name);
            let is_wanted =
                query.personas.is_empty() || name.is_some_and(|name| query.personas.contains(name));
            if is_wanted && (query.metrics.is_empty() || query.metrics.contains(&metric)) {
                places.insert(row.get::<_, i64>(0)?, found.len());
                let source = SampleSource { persona, key: None };
                found.push(Track { source, metric, stretches: Vec::new() });
            }
        }
        Ok(Self { found, places })
    }

    fn read(
        &mut self,
        connection: &Connection,
        resolution: Resolution,
        range: TimeRange,
    ) -> rusqlite::Result<()> {
        if range.from >= range.until {
            return Ok(());
        }
        let Some((level, finer)) = level(resolution) else {
            return self.read_moments(connection, range);
        };
        let made: Option<i64> =
            connection.prepare_cached(level.last_made)?.query_row([], |row| row.get(0))?;
        let ready = made.map_or(i64::MIN, |made| made.saturating_add(level.span_ns));
        let (from, until) = (range.from.unix_ns, range.until.unix_ns);
        let whole_from = up(from, level.span_ns);
        let whole_until = until.saturating_sub(until.rem_euclid(level.span_ns)).min(ready);
        if whole_from >= whole_until {
            return self.read(connection, finer, range);
        }
        let at = |unix_ns| WallTime { unix_ns };
        let whole = TimeRange { from: at(whole_from), until: at(whole_until) };
        self.read(connection, finer, TimeRange { from: range.from, until: whole.from })?;
        self.read_whole(connection, &level, whole)?;
        self.read(connection, finer, TimeRange { from: whole.until, until: range.until })
    }

    fn read_whole(
        &mut self,
        connection: &Connection,
        level: &Level,
        range: TimeRange,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(level.rows)?;
        let mut rows = statement.query(params![range.from.unix_ns, range.until.unix_ns])?;
        while let Some(row) = rows.next()? {
            let Some(track) = self.track(row.get(1)?) else { continue };
            track.stretches.push(Stretch {
                wall_time: WallTime { unix_ns: row.get(0)? },
                count: row.get::<_, i64>(2)?.cast_unsigned(),
                min: row.get(3)?,
                max: row.get(4)?,
                last: row.get(5)?,
                average: row.get(6)?,
            });
        }
        Ok(())
    }

    fn read_moments(&mut self, connection: &Connection, range: TimeRange) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "SELECT at_ns, series, value FROM samples WHERE at_ns >= ?1 AND at_ns < ?2 \
             ORDER BY at_ns, series",
        )?;
        let mut rows = statement.query(params![range.from.unix_ns, range.until.unix_ns])?;
        while let Some(row) = rows.next()? {
            let Some(track) = self.track(row.get(1)?) else { continue };
            let value: f64 = row.get(2)?;
            track.stretches.push(Stretch {
                wall_time: WallTime { unix_ns: row.get(0)? },
                count: 1,
                min: value,
                max: value,
                last: value,
                average: value,
            });
        }
        Ok(())
    }

    fn track(&mut self, series: i64) -> Option<&mut Track> {
        self.found.get_mut(*self.places.get(&series)?)
    }
}

const HOUR_NS: i64 = 3_600_000_000_000;

/// A table of roll-ups.
struct Level {
    span_ns: i64,
    last_made: &'static str,
    rows: &'static str,
}

const MINUTES: Level = Level {
    span_ns: HOUR_NS / 60,
    last_made: "SELECT max(at_ns) FROM samples_minute",
    rows: "SELECT at_ns, series, count, min, max, last, average FROM samples_minute \
           WHERE at_ns >= ?1 AND at_ns < ?2 ORDER BY at_ns, series",
};

const HOURS: Level = Level {
    span_ns: HOUR_NS,
    last_made: "SELECT max(at_ns) FROM samples_hour",
    rows: "SELECT at_ns, series, count, min, max, last, average FROM samples_hour \
           WHERE at_ns >= ?1 AND at_ns < ?2 ORDER BY at_ns, series",
};

/// The table, and what is finer.
const fn level(resolution: Resolution) -> Option<(Level, Resolution)> {
    match resolution {
        Resolution::Moment => None,
        Resolution::Minute => Some((MINUTES, Resolution::Moment)),
        Resolution::Hour => Some((HOURS, Resolution::Minute)),
    }
}

fn up(at_ns: i64, span_ns: i64) -> i64 {
    match at_ns.rem_euclid(span_ns) {
        0 => at_ns,
        over => at_ns.saturating_add(span_ns - over),
    }
}
