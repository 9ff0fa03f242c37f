//! What the store costs: events a second through the writer, bytes an event,
//! and the query behind `--crashes --last=1h`, each beside the same done with
//! bare SQLite. `cargo bench -p genome-trace --bench store`.
//!
//! The store that is asked has 200,000 events of a day;
//! `GENOME_TRACE_BENCH_EVENTS=10000000` makes it another number, in
//! `GENOME_TRACE_BENCH_FOLDER` or the folder for temporary files, where it
//! takes about 130 bytes an event, its share of the process included, for as long
//! as the benchmark runs.
#![allow(missing_docs)]

use std::{
    error::Error,
    hint::black_box,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use divan::{Bencher, counter::ItemsCount};
use genome_trace::{
    model::{
        Argv, Crash, CrashKind, CrashMemory, Ending, Event, Evidence, Exec, Exit, FileWrite, Known,
        Payload, Persona, Process, ProcessKey, SignalNumber, TimeRange, WallTime, Watch,
    },
    store::{
        CrashQuery, History as _, Item, Place, QueueLimits, Reader, Retention, Store as _, Writer,
        WriterOptions,
    },
};
use rusqlite::{Connection, OpenFlags, params};

const HOUR_NS: i64 = 3_600_000_000_000;
const PATIENCE: Duration = Duration::from_secs(600);
/// Events of one pass of the insert benchmarks.
const PASS: u64 = 50_000;
/// Events for each crash.
const CRASH_EVERY: u64 = 10_000;

/// The store that is asked, and until when its day goes.
static ASKED: OnceLock<(PathBuf, i64)> = OnceLock::new();

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
    let events = match std::env::var("GENOME_TRACE_BENCH_EVENTS") {
        Ok(number) => number.parse()?,
        Err(_) => 200_000,
    };
    let folder = match std::env::var_os("GENOME_TRACE_BENCH_FOLDER") {
        Some(above) => tempfile::tempdir_in(above)?,
        None => tempfile::tempdir()?,
    };
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
    let begun = Instant::now();
    let writer = writer(folder.path())?;
    // A little less than the day after which the oldest would go.
    let from = now - 23 * HOUR_NS;
    let step = (now - from) / i64::try_from(events)?.max(1);
    for number in 0..events {
        let at = WallTime { unix_ns: from + step * i64::try_from(number)? };
        push(&writer, number, at);
        if number % CRASH_EVERY == 0 {
            writer.push(Item::Crash(Box::new(crash(at))));
        }
        if number % 20_000 == 0 {
            writer.flush(PATIENCE)?;
        }
    }
    writer.flush(PATIENCE)?;
    let lost: u64 = writer.status().unstored.values().sum();
    writer.close()?;
    let took = begun.elapsed().as_secs_f64();
    let file = Place::new(folder.path()).file().to_owned();
    let size = std::fs::metadata(&file)?.len();
    println!(
        "{events} events in {took:.1} s: {:.0} a second, {:.1} bytes each, {lost} lost",
        events as f64 / took,
        size as f64 / events as f64,
    );
    let _ = ASKED.set((file, now));
    Ok(folder)
}

fn writer(folder: &Path) -> Result<Writer, Box<dyn Error>> {
    let mut options = WriterOptions::new("bench");
    options.queue = QueueLimits { items: 1 << 17, bytes: 256 << 20 };
    options.retention = Retention { size_bytes: None, ..Retention::default() };
    Ok(Writer::open(Place::new(folder), options)?)
}

/// Four events of each process: it begins, runs a program, writes a file, ends.
fn push(store: &Writer, number: u64, wall_time: WallTime) {
    let persona = Persona { name: "CodeExpert".to_owned(), genome_id: Some("a3f9".to_owned()) };
    let process = number / 4;
    let argv = format!("python3\0/opt/workers/expert.py\0--lora\0a3f9\0--task\0{process}\0");
    let path = format!("/data/workers/code/out/part-{}.jsonl", process % 500);
    let tgid = 1000 + u32::try_from(process % 4_000_000).unwrap_or_default();
    let payload = match number % 4 {
        0 => Payload::Fork,
        1 => Payload::Exec(Exec {
            exe: Some(b"/usr/bin/python3.11"),
            exe_truncated: false,
            argv: Some(Argv { block: argv.as_bytes() }),
            argv_truncated: false,
            environment: None,
            environment_truncated: false,
        }),
        2 => Payload::FileWrite(FileWrite {
            path: Some(path.as_bytes()),
            path_truncated: false,
            device: (259, 2),
            inode: 1_000_000 + process % 500,
            write_calls: 12,
            written_bytes: 48_000,
        }),
        _ => Payload::Exit(Exit {
            ending: Ending::Exited { code: 0 },
            runtime_ns: 8_200_000_000,
            cpu_ns: Some(7_900_000_000),
            peak_rss_bytes: Some(812 << 20),
            write_calls: Some(12),
            written_bytes: Some(48_000),
            threads: Some(1),
            open_files: Some(5),
            vram: None,
        }),
    };
    let is_before_exec = number.is_multiple_of(4);
    store.push(Item::event(&Event {
        ktime_ns: 812_345_678_901 + number * 1000,
        wall_time,
        process: Some(Process {
            key: ProcessKey { tgid, start_time: 812_345_678_901 + process * 1000 },
            tid: Some(tgid),
            ppid: Some(1000),
            uid: Some(1000),
            comm: Some(if is_before_exec { b"bash" } else { b"python3" }),
            cgroup_path: Some(b"/ai.slice/code.service"),
            watch: Watch::default(),
        }),
        persona: (!is_before_exec).then_some(&persona),
        persona_root: None,
        payload,
    }));
}

fn crash(wall_time: WallTime) -> Crash {
    let line = |text: &str| Evidence { known: Known::Observed, text: text.to_owned() };
    let key = ProcessKey { tgid: 47_392, start_time: 812_345_678_901 };
    let reason = "the memory cgroup /ai.slice/code.service was at its limit".to_owned();
    Crash {
        persona: Some("CodeExpert".to_owned()),
        genome_id: Some("a3f9".to_owned()),
        comm: Some("python3".to_owned()),
        argv: Some(vec!["python3".to_owned(), "/opt/workers/expert.py".to_owned()]),
        ending: Some(Ending::Signaled { signal: SignalNumber(9), core_dumped: false }),
        evidence: vec![
            line("the OOM killer chose the process (mark_victim)"),
            line("limit 1.5 GB, usage 1.5 GB at that moment"),
            line("SIGKILL came from the kernel"),
        ],
        memory: CrashMemory { peak_rss_bytes: Some(1_800 << 20), ..CrashMemory::default() },
        ..Crash::new(wall_time, 812_345_678_901, key, CrashKind::Oom, reason)
    }
}

/// A store in a folder of its own.
fn empty() -> Option<(Writer, tempfile::TempDir)> {
    let folder = tempfile::tempdir().ok()?;
    Some((writer(folder.path()).ok()?, folder))
}

/// One pass' items.
fn push_all(writer: &Writer) -> Option<()> {
    for number in 0..PASS {
        push(writer, number, WallTime { unix_ns: i64::try_from(number).ok()? * 1000 });
    }
    Some(())
}

/// Through the queue and the thread, until all of it is stored.
#[divan::bench(sample_count = 10)]
fn insert(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(PASS)).with_inputs(empty).bench_local_values(|made| {
        let (writer, folder) = made?;
        push_all(&writer)?;
        writer.flush(PATIENCE).ok()?;
        Some((writer, folder))
    });
}

/// What a push costs the one who pushes.
#[divan::bench(sample_count = 10)]
fn push_alone(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(PASS)).with_inputs(empty).bench_local_values(|made| {
        let (writer, folder) = made?;
        push_all(&writer)?;
        Some((writer, folder))
    });
}

/// As many rows of about that size into one table, without anything else.
#[divan::bench(sample_count = 10)]
fn insert_bare(bencher: Bencher<'_, '_>) {
    let fill = |connection: &Connection| -> rusqlite::Result<()> {
        let mut insert = connection.prepare("INSERT INTO events VALUES (?1, ?2, ?3, ?4)")?;
        for number in 0..i64::try_from(PASS).unwrap_or_default() {
            if number % 8192 == 0 {
                connection.execute_batch(if number == 0 { "BEGIN" } else { "COMMIT; BEGIN" })?;
            }
            insert.execute(params![number * 1000, number % 9, number / 4, [0_u8; 40]])?;
        }
        connection.execute_batch("COMMIT")
    };
    bencher
        .counter(ItemsCount::new(PASS))
        .with_inputs(|| {
            let folder = tempfile::tempdir().ok()?;
            let connection = Connection::open(folder.path().join("bare.db")).ok()?;
            connection
                .execute_batch(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                     CREATE TABLE events (id INTEGER PRIMARY KEY, kind INTEGER, subject INTEGER, \
                     payload BLOB)",
                )
                .ok()?;
            Some((connection, folder))
        })
        .bench_local_values(|made| {
            let (connection, folder) = made?;
            fill(&connection).ok()?;
            Some((connection, folder))
        });
}

/// The last hour's crashes, from opening the store on.
#[divan::bench]
fn crashes_of_an_hour(bencher: Bencher<'_, '_>) {
    let Some((file, now)) = ASKED.get() else { return };
    let range =
        TimeRange { from: WallTime { unix_ns: now - HOUR_NS }, until: WallTime { unix_ns: *now } };
    bencher.bench(|| {
        let reader = Reader::open(Place::new(file)).ok()?;
        reader.crashes(&CrashQuery::all(range)).ok()
    });
}

/// The same rows by the same index, without reading what they mean.
#[divan::bench]
fn crashes_of_an_hour_bare(bencher: Bencher<'_, '_>) {
    let Some((file, now)) = ASKED.get() else { return };
    let ask = || -> rusqlite::Result<Vec<(i64, String)>> {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection
            .prepare("SELECT id, record FROM crashes WHERE wall_ns >= ?1 ORDER BY wall_ns DESC")?
            .query_map([now - HOUR_NS], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    bencher.bench(|| black_box(ask()).ok());
}
