//! How long `--history=7d` takes: a week of 51 sources and 11 metrics, by the
//! hour, and what follows from it. `cargo bench -p genome-trace --bench history`.
//!
//! With `GENOME_TRACE_BENCH_BINARY` the whole process is timed, too. With
//! `GENOME_TRACE_BENCH_WEEK=seconds` the store has each of the 340 million
//! samples of that week, a second apart, and the minutes and hours that the
//! recorder's own writer makes of them, in `GENOME_TRACE_BENCH_FOLDER` or the
//! folder for temporary files; docs/performance.md says how large that gets.
#![allow(missing_docs)]

use std::{
    error::Error,
    hint::black_box,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use divan::{Bencher, counter::ItemsCount};
use genome_trace::{
    detect::{resample, step_ns, summarize, trend},
    model::{Metric, SampleSpan, TimeRange, Track, WallTime},
    store::{
        History as _, Place, Reader, Resolution, Retention, Store as _, TrackQuery, Writer,
        WriterOptions,
    },
};
use rusqlite::{Connection, params};

const SECOND_NS: i64 = 1_000_000_000;
const HOUR_NS: i64 = 3600 * SECOND_NS;
const MINUTE_NS: i64 = 60 * SECOND_NS;
const DAY: Duration = Duration::from_secs(24 * 3600);
const PERSONAS: i64 = 50;
/// One step of the writer's upkeep.
const PATIENCE: Duration = Duration::from_secs(600);

/// The store, and until when its week goes.
static WEEK: OnceLock<(PathBuf, i64)> = OnceLock::new();

fn main() -> ExitCode {
    match prepare() {
        Ok(_folder) => {
            divan::main();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cannot make a store to ask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn prepare() -> Result<tempfile::TempDir, Box<dyn Error>> {
    let folder = match std::env::var_os("GENOME_TRACE_BENCH_FOLDER") {
        Some(above) => tempfile::tempdir_in(above)?,
        None => tempfile::tempdir()?,
    };
    let place = Place::new(folder.path());
    Writer::open(place.clone(), WriterOptions::new("bench"))?.close()?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
    let is_whole = std::env::var_os("GENOME_TRACE_BENCH_WEEK").is_some();
    let begun = Instant::now();
    fill(place.file(), now, is_whole)?;
    if is_whole {
        let filled = begun.elapsed();
        roll_up(&place, now)?;
        let size_bytes = std::fs::metadata(place.file())?.len();
        eprintln!(
            "the week takes {size_bytes} bytes; written in {filled:.0?}, rolled up in {:.0?}",
            begun.elapsed() - filled
        );
    }
    let _ = WEEK.set((place.file().to_owned(), now));
    Ok(folder)
}

/// The series, and of a whole week its samples; else the hours, and what comes
/// after the last hour and the last minute.
fn fill(file: &Path, now: i64, is_whole: bool) -> rusqlite::Result<()> {
    let connection = Connection::open(file)?;
    // What is written once, and for no longer than this runs, needs no log.
    connection.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN")?;
    let mut series = 0;
    for persona in 0..=PERSONAS {
        let name = (persona > 0).then(|| format!("Persona{persona}"));
        for metric in Metric::ALL {
            series += 1;
            connection
                .prepare_cached(
                    "INSERT INTO series (id, metric, persona, seen_ns) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![series, metric.name(), name, now])?;
        }
    }
    let this_hour = now - now.rem_euclid(HOUR_NS);
    let this_minute = now - now.rem_euclid(MINUTE_NS);
    let week = this_hour - 168 * HOUR_NS;
    if !is_whole {
        let hours = (week..this_hour).step_by(HOUR_NS as usize);
        rows(&connection, "samples_hour", 3600, hours, series)?;
        let minutes = (this_hour..this_minute).step_by(MINUTE_NS as usize);
        rows(&connection, "samples_minute", 60, minutes, series)?;
    }
    let first = if is_whole { week } else { this_minute };
    let mut sample = connection.prepare("INSERT INTO samples VALUES (?1, ?2, ?3)")?;
    for at in (first..now).step_by(SECOND_NS as usize) {
        for number in 1..=series {
            sample.execute(params![at, number, value(at, number)])?;
        }
    }
    drop(sample);
    connection.execute_batch("COMMIT")?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
}

/// Has a recorder's writer make the minutes and the hours, which it does a
/// little at a time whenever it has written.
fn roll_up(place: &Place, now: i64) -> Result<(), Box<dyn Error>> {
    let retention =
        Retention { events: DAY * 8, size_bytes: None, ..WriterOptions::new("").retention };
    let writer =
        Writer::open(place.clone(), WriterOptions { retention, ..WriterOptions::new("bench") })?;
    let made = Connection::open(place.file())?;
    let last_hour = now - now.rem_euclid(HOUR_NS) - HOUR_NS;
    loop {
        writer.flush(PATIENCE)?;
        let hour: Option<i64> =
            made.query_row("SELECT max(at_ns) FROM samples_hour", [], |row| row.get(0))?;
        if hour.is_some_and(|hour| hour >= last_hour) {
            break;
        }
    }
    drop(made);
    Ok(writer.close()?)
}

fn rows(
    connection: &Connection,
    table: &str,
    count: i64,
    starts: impl Iterator<Item = i64>,
    series: i64,
) -> rusqlite::Result<()> {
    let statement = format!("INSERT INTO {table} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    for at in starts {
        for number in 1..=series {
            let of = value(at, number);
            let most = of + 1000;
            connection.prepare_cached(&statement)?.execute(params![
                at,
                number,
                count,
                of - 1000,
                most,
                of,
                of as f64 + 0.5
            ])?;
        }
    }
    Ok(())
}

/// Noise around the series' own level.
fn value(at: i64, series: i64) -> i64 {
    let mixed =
        (at / SECOND_NS).wrapping_add(series).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64);
    series * 1_000_000 + mixed.rem_euclid(1 << 18)
}

fn week() -> Option<(&'static Path, TimeRange)> {
    let (file, now) = WEEK.get()?;
    let from = now - now.rem_euclid(HOUR_NS) - 168 * HOUR_NS;
    Some((file, TimeRange { from: WallTime { unix_ns: from }, until: WallTime { unix_ns: *now } }))
}

fn read() -> Option<Vec<Track>> {
    let (file, range) = week()?;
    let reader = Reader::open(Place::new(file)).ok()?;
    reader.tracks(&TrackQuery::all(range, Resolution::Hour)).ok()
}

#[divan::bench]
fn open_and_read_a_week(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| black_box(read()));
}

#[divan::bench]
fn judge_a_week(bencher: Bencher<'_, '_>) {
    let (Some(tracks), Some((_, range))) = (read(), week()) else { return };
    let step_ns = step_ns(range, SampleSpan::Hour, 200);
    bencher.counter(ItemsCount::new(tracks.len())).bench_local(|| {
        for track in &tracks {
            let _ = black_box(summarize(&track.stretches));
            let _ = black_box(trend(&track.stretches, range, SampleSpan::Hour));
            let _ = black_box(resample(&track.stretches, range, step_ns));
        }
    });
}

/// As somebody who asks waits for it.
#[divan::bench(sample_count = 20)]
fn whole_process(bencher: Bencher<'_, '_>) {
    let (Some(binary), Some((file, _))) = (std::env::var_os("GENOME_TRACE_BENCH_BINARY"), week())
    else {
        return;
    };
    bencher.bench_local(|| {
        let mut command = Command::new(&binary);
        command.args(["--history=7d", "--store"]).arg(file).stdout(Stdio::null());
        match command.status() {
            Ok(status) if status.success() => {}
            other => eprintln!("--history=7d failed: {other:?}"),
        }
    });
}
