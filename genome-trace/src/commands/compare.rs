//! `--compare`: now against then, from a recorder's store.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use jiff::{ToSpan as _, Zoned, civil::Date};

use super::{
    crashes::{local, wall_time},
    follow,
    history::{nothing, query, span},
    shell,
    watched::gaps,
};
use crate::{
    cli::{Moment, View, ViewFormat, When},
    detect::{Times, change, differences, joined, percent, summarize},
    kernel::machine,
    model::{
        CompareReport, Comparison, CrashKind, Metric, SampleSpan, Stretch, TimeRange, WallTime,
    },
    render::compare,
    store::{CrashQuery, History as _, Place, Reader},
};

/// Prints the report.
pub(super) fn run(view: &View) -> anyhow::Result<ExitCode> {
    let asked = Zoned::now();
    let when = view.history_options.compare.as_ref();
    // What cannot be asked is told whether there is a store or not.
    let (now, then) = ranges(when.unwrap_or(&When::Yesterday), &asked)?;
    let place = Place::new(&view.store);
    let reader = Reader::open(place.clone())?;
    let span = span(length_ns(now).max(length_ns(then)));
    let at = wall_time(&asked);
    let of_now = Known::read(&reader, view, now, span)?;
    let of_then = Known::read(&reader, view, then, span)?;
    if of_now.lines.is_empty() && of_then.lines.is_empty() {
        bail!(nothing(&reader, &place, view, &[now, then], &asked)?);
    }
    let runs = reader.coverage()?;
    let mut all_gaps = gaps(&reader, &runs, then, at)?;
    all_gaps.extend(gaps(&reader, &runs, now, at)?);
    let report = CompareReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: machine::host_name(),
        asked: at,
        store: place.file().display().to_string(),
        now,
        then,
        span,
        comparisons: comparisons((&of_now.lines, now), (&of_then.lines, then), span),
        differences: differences(&of_now.times, &of_then.times),
        gaps: all_gaps,
    };
    let mut out = Vec::new();
    match view.format {
        ViewFormat::Prometheus => {
            bail!("two stretches of time are no metric: give --format=json, or --history")
        }
        ViewFormat::Json => compare::write_json(&mut out, &report),
        ViewFormat::Csv => compare::write_csv(&mut out, &report),
        ViewFormat::Table => {
            compare::write_text(&mut out, &report, &follow::style(view.no_color));
        }
    }
    shell::print(&out)
}

type Lines = BTreeMap<(Option<String>, Metric), Vec<Stretch>>;

/// What the store knows of one of the two times.
struct Known {
    lines: Lines,
    times: Times,
}

impl Known {
    fn read(
        reader: &Reader,
        view: &View,
        range: TimeRange,
        span: SampleSpan,
    ) -> anyhow::Result<Self> {
        let tracks = reader.tracks(&query(view, range, span))?;
        let mut times = Times { is_known: !tracks.is_empty(), ..Times::default() };
        for persona in tracks.iter().filter_map(|track| track.source.persona.as_ref()) {
            let ids = times.personas.entry(persona.name.clone()).or_default();
            ids.extend(persona.genome_id.clone());
        }
        times.programs = reader.programs(range)?;
        let kinds = vec![CrashKind::Oom];
        let is_wanted = |persona: &Option<String>| {
            view.persona.is_empty() || persona.as_ref().is_some_and(|of| view.persona.contains(of))
        };
        for found in reader.crashes(&CrashQuery { kinds, ..CrashQuery::all(range) })? {
            if let Some(limit) = found.crash.memory.limit_bytes
                && is_wanted(&found.crash.persona)
            {
                times.limits.entry(found.crash.persona).or_default().insert(limit);
            }
        }
        Ok(Self { lines: joined(tracks), times })
    }
}

fn comparisons(
    (now, now_range): (&Lines, TimeRange),
    (then, then_range): (&Lines, TimeRange),
    span: SampleSpan,
) -> Vec<Comparison> {
    let keys: BTreeSet<_> = now.keys().chain(then.keys()).collect();
    keys.into_iter()
        .map(|key| {
            let stretches = |lines: &'_ Lines| lines.get(key).cloned().unwrap_or_default();
            let (of_now, of_then) = (stretches(now), stretches(then));
            let (summary, summary_then) = (summarize(&of_now), summarize(&of_then));
            let (persona, metric) = key.clone();
            Comparison {
                persona,
                metric,
                percent: percent(summary.as_ref(), summary_then.as_ref()),
                now: summary,
                then: summary_then,
                change: change((&of_now, now_range), (&of_then, then_range), span),
            }
        })
        .collect()
}

fn length_ns(range: TimeRange) -> u64 {
    u64::try_from(range.until.unix_ns.saturating_sub(range.from.unix_ns)).unwrap_or(0)
}

/// The stretch of now and that of then.
fn ranges(when: &When, asked: &Zoned) -> anyhow::Result<(TimeRange, TimeRange)> {
    let until = wall_time(asked);
    match when {
        When::Before(length) => {
            let ns = i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
            let from = WallTime { unix_ns: until.unix_ns.saturating_sub(ns) };
            let earlier = WallTime { unix_ns: from.unix_ns.saturating_sub(ns) };
            Ok((TimeRange { from, until }, TimeRange { from: earlier, until: from }))
        }
        When::Yesterday => {
            let day = asked.date().checked_sub(1.day()).context("there is no day before today")?;
            days(day, asked)
        }
        When::Day(day) if *day == asked.date() => bail!(
            "--compare {day} is today, which would be compared with itself; give an earlier day, \
             or yesterday"
        ),
        When::Day(day) if *day > asked.date() => bail!(
            "--compare {day} is in the future, of which no figure is known; give a day that has \
             passed"
        ),
        When::Day(day) => days(*day, asked),
        When::Between(from, end) => between(from, end, asked),
    }
}

/// Today so far, and the same hours of a day before.
fn days(day: Date, asked: &Zoned) -> anyhow::Result<(TimeRange, TimeRange)> {
    let zone = asked.time_zone();
    let midnight = |date: Date| -> anyhow::Result<WallTime> {
        let begin = date.to_zoned(zone.clone()).with_context(|| {
            format!("--compare {date} is out of range: give a day of this century")
        })?;
        in_range(&begin)
    };
    let same_hour = day
        .to_datetime(asked.time())
        .to_zoned(zone.clone())
        .with_context(|| format!("--compare {day} is out of range: give a day of this century"))?;
    let now = TimeRange { from: midnight(asked.date())?, until: wall_time(asked) };
    let then = TimeRange { from: midnight(day)?, until: in_range(&same_hour)? };
    Ok((now, then))
}

fn in_range(time: &Zoned) -> anyhow::Result<WallTime> {
    i64::try_from(time.timestamp().as_nanosecond())
        .map(|unix_ns| WallTime { unix_ns })
        .with_context(|| format!("{time} is out of range: give a time of this century"))
}

/// As long a time up to now, and that time.
fn between(from: &Moment, end: &Moment, asked: &Zoned) -> anyhow::Result<(TimeRange, TimeRange)> {
    let at = |moment: &Moment| {
        let at = moment.resolve(asked).and_then(|at| i64::try_from(at.as_nanosecond()).ok());
        at.map(|unix_ns| WallTime { unix_ns })
            .context("--compare is out of range: give times of this century")
    };
    let until = wall_time(asked);
    let then = TimeRange { from: at(from)?, until: at(end)? };
    let (begin, end) = (local(then.from, asked), local(then.until, asked));
    if then.until > until {
        bail!(
            "--compare ends at {end}, in the future, of which no figure is known; give times that \
             have passed"
        );
    }
    if then.from >= then.until {
        bail!("--compare begins at {begin}, not before its end at {end}; give the earlier first");
    }
    let length = then.until.unix_ns.saturating_sub(then.from.unix_ns);
    let now = TimeRange { from: WallTime { unix_ns: until.unix_ns.saturating_sub(length) }, until };
    if now.from < then.until {
        bail!(
            "--compare ends at {end}, within as long a time up to now, which would be compared \
             with itself; give an earlier or a shorter time"
        );
    }
    Ok((now, then))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn asked(when: &str) -> anyhow::Result<[String; 4]> {
        let now: Zoned = "2026-11-20T11:30:00[UTC]".parse().unwrap();
        let (now, then) = ranges(&when.parse().unwrap(), &now)?;
        let utc = |time| crate::render::Utc(time).to_string().chars().take(16).collect();
        Ok([now.from, now.until, then.from, then.until].map(utc))
    }

    #[test]
    fn stretches_of_now_and_then() {
        for (when, wanted) in [
            (
                "yesterday",
                ["2026-11-20T00:00", "2026-11-20T11:30", "2026-11-19T00:00", "2026-11-19T11:30"],
            ),
            (
                "1h",
                ["2026-11-20T10:30", "2026-11-20T11:30", "2026-11-20T09:30", "2026-11-20T10:30"],
            ),
            (
                "2026-11-18",
                ["2026-11-20T00:00", "2026-11-20T11:30", "2026-11-18T00:00", "2026-11-18T11:30"],
            ),
            (
                "2026-11-18T14:00..15:00",
                ["2026-11-20T10:30", "2026-11-20T11:30", "2026-11-18T14:00", "2026-11-18T15:00"],
            ),
        ] {
            assert_eq!(asked(when).unwrap(), wanted, "{when}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_one_sentence() {
        for (when, words) in [
            ("2026-11-20", "is today"),
            ("2026-11-21", "is in the future"),
            ("2026-11-20T11:00..12:00", "in the future"),
            ("2026-11-18T15:00..14:00", "not before its end"),
            ("2026-11-20T10:00..11:00", "compared with itself"),
            ("9999-12-01", "is in the future"),
        ] {
            let error = asked(when).unwrap_err().to_string();
            assert!(error.contains(words), "{when}: {error}");
        }
    }
}
