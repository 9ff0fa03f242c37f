//! Samples by the minute and by the hour. Each minute is made from its samples
//! when it is over, each hour from its minutes; to make one again changes
//! nothing.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _};

use crate::model::WallTime;

const MINUTE_NS: i64 = 60 * 1_000_000_000;
const HOUR_NS: i64 = 60 * MINUTE_NS;
/// Samples come that much late, and more where the store could not be written.
const LATE_NS: i64 = 5 * 1_000_000_000;

/// A column beside a lone `max` is that of the row with the maximum
/// (sqlite.org/lang_select.html#bareagg), which is how the latest is found.
const MINUTE: &str = "INSERT OR REPLACE INTO samples_minute \
    (at_ns, series, count, min, max, average, last) \
    SELECT ?1, series, count, min, max, average, last FROM \
    (SELECT series, count(*) AS count, min(value) AS min, max(value) AS max, \
     avg(value) AS average FROM samples WHERE at_ns >= ?1 AND at_ns < ?2 GROUP BY series) \
    JOIN (SELECT series, max(at_ns), value AS last FROM samples \
     WHERE at_ns >= ?1 AND at_ns < ?2 GROUP BY series) USING (series)";

const HOUR: &str = "INSERT OR REPLACE INTO samples_hour \
    (at_ns, series, count, min, max, average, last) \
    SELECT ?1, series, count, min, max, average, last FROM \
    (SELECT series, sum(count) AS count, min(min) AS min, max(max) AS max, \
     sum(average * count) / sum(count) AS average FROM samples_minute \
     WHERE at_ns >= ?1 AND at_ns < ?2 GROUP BY series) \
    JOIN (SELECT series, max(at_ns), last FROM samples_minute \
     WHERE at_ns >= ?1 AND at_ns < ?2 GROUP BY series) USING (series)";

/// One of the two resolutions.
struct Level {
    span_ns: i64,
    make: &'static str,
    first_after: &'static str,
    last_made: &'static str,
    /// Where the next stretch to make begins, or earlier.
    next_ns: Option<i64>,
}

/// Makes roll-ups.
pub(super) struct RollUps {
    minutes: Level,
    hours: Level,
}

impl RollUps {
    pub(super) const fn new() -> Self {
        Self {
            minutes: Level {
                span_ns: MINUTE_NS,
                make: MINUTE,
                first_after: "SELECT min(at_ns) FROM samples WHERE at_ns >= ?1",
                last_made: "SELECT max(at_ns) FROM samples_minute",
                next_ns: None,
            },
            hours: Level {
                span_ns: HOUR_NS,
                make: HOUR,
                first_after: "SELECT min(at_ns) FROM samples_minute WHERE at_ns >= ?1",
                last_made: "SELECT max(at_ns) FROM samples_hour",
                next_ns: None,
            },
        }
    }

    /// A sample came late: its stretches are made again.
    pub(super) fn rewind(&mut self, at_ns: i64) {
        for level in [&mut self.minutes, &mut self.hours] {
            let from = at_ns.saturating_sub(at_ns.rem_euclid(level.span_ns));
            level.next_ns = level.next_ns.map(|next| next.min(from));
        }
    }

    /// Makes what is due, for about `budget`. Samples from before `kept_from_ns`
    /// are going, so their stretches are left as they are.
    pub(super) fn step(
        &mut self,
        connection: &Connection,
        now: WallTime,
        kept_from_ns: i64,
        budget: Duration,
    ) -> rusqlite::Result<bool> {
        let begun = Instant::now();
        loop {
            let minute = self.minutes.step(connection, now, kept_from_ns)?;
            // An hour is due only when its minutes are.
            let made = minute || self.hours.step(connection, now, i64::MIN)?;
            if !made || begun.elapsed() >= budget {
                return Ok(made);
            }
        }
    }
}

impl Level {
    /// Makes one stretch; whether there was one.
    fn step(
        &mut self,
        connection: &Connection,
        now: WallTime,
        kept_from_ns: i64,
    ) -> rusqlite::Result<bool> {
        let next = match self.next_ns {
            Some(next) => next,
            None => {
                let made: Option<i64> =
                    connection.prepare_cached(self.last_made)?.query_row([], |row| row.get(0))?;
                made.unwrap_or(i64::MIN)
            }
        };
        self.next_ns = Some(next);
        let whole_from = round_up(kept_from_ns, self.span_ns);
        let first: Option<i64> = connection
            .prepare_cached(self.first_after)?
            .query_row([next.max(whole_from)], |row| row.get(0))
            .optional()?
            .flatten();
        let Some(first) = first else { return Ok(false) };
        let from = first.saturating_sub(first.rem_euclid(self.span_ns));
        let until = from.saturating_add(self.span_ns);
        if until.saturating_add(LATE_NS) > now.unix_ns {
            return Ok(false);
        }
        connection.prepare_cached(self.make)?.execute([from, until])?;
        self.next_ns = Some(until);
        Ok(true)
    }
}

fn round_up(at_ns: i64, span_ns: i64) -> i64 {
    match at_ns.rem_euclid(span_ns) {
        0 => at_ns,
        over => at_ns.saturating_add(span_ns - over),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::params;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn store() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(crate::store::schema::MIGRATIONS[0]).unwrap();
        connection
    }

    fn sample(connection: &Connection, second: i64, series: i64, value: i64) {
        connection
            .execute(
                "INSERT INTO samples VALUES (?1, ?2, ?3)",
                params![second * 1_000_000_000, series, value],
            )
            .unwrap();
    }

    type Row = (i64, i64, i64, i64, i64, i64, f64);

    fn rows(connection: &Connection, table: &str) -> Vec<Row> {
        let query = format!(
            "SELECT at_ns / 1000000000, series, count, min, max, last, average FROM {table}"
        );
        connection
            .prepare(&query)
            .unwrap()
            .query_map([], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                    row.get(6)?,
                ))
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    fn at(second: i64) -> WallTime {
        WallTime { unix_ns: second * 1_000_000_000 }
    }

    #[test]
    fn a_minute_is_made_when_it_is_over_and_an_hour_from_minutes() {
        let connection = store();
        let mut roll_ups = RollUps::new();
        for (second, value) in [(60, 30), (61, 10), (119, 20), (120, 7), (3599, 1)] {
            sample(&connection, second, 1, value);
        }
        sample(&connection, 61, 2, 5);
        roll_ups.step(&connection, at(121), i64::MIN, LONG).unwrap();
        assert_eq!(rows(&connection, "samples_minute"), []);
        roll_ups.step(&connection, at(125), i64::MIN, LONG).unwrap();
        let first = [(60, 1, 3, 10, 30, 20, 20.0), (60, 2, 1, 5, 5, 5, 5.0)];
        assert_eq!(rows(&connection, "samples_minute"), first);
        roll_ups.step(&connection, at(3700), i64::MIN, LONG).unwrap();
        let hour = [(0, 1, 5, 1, 30, 1, 13.6), (0, 2, 1, 5, 5, 5, 5.0)];
        assert_eq!(rows(&connection, "samples_hour"), hour);
        // A new recorder makes the last ones again, and they are the same.
        let before = rows(&connection, "samples_minute");
        RollUps::new().step(&connection, at(3700), i64::MIN, LONG).unwrap();
        assert_eq!(rows(&connection, "samples_minute"), before);
    }

    #[test]
    fn a_late_sample_is_counted() {
        let connection = store();
        let mut roll_ups = RollUps::new();
        sample(&connection, 60, 1, 10);
        sample(&connection, 190, 1, 10);
        roll_ups.step(&connection, at(300), i64::MIN, LONG).unwrap();
        sample(&connection, 70, 1, 20);
        roll_ups.rewind(70 * 1_000_000_000);
        roll_ups.step(&connection, at(300), i64::MIN, LONG).unwrap();
        let minutes = rows(&connection, "samples_minute");
        assert_eq!(minutes[0], (60, 1, 2, 10, 20, 20, 15.0));
        assert_eq!(minutes[1].2, 1);
    }

    #[test]
    fn a_minute_whose_samples_are_going_is_left_as_it_is() {
        let connection = store();
        sample(&connection, 60, 1, 10);
        sample(&connection, 130, 1, 10);
        RollUps::new().step(&connection, at(300), 61 * 1_000_000_000, LONG).unwrap();
        let minutes = rows(&connection, "samples_minute");
        assert_eq!(minutes.iter().map(|row| row.0).collect::<Vec<_>>(), [120]);
    }
}
