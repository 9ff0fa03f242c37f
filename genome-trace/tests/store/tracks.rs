//! Samples by their series: from roll-ups, and from what is finer where those
//! do not reach.

use std::collections::BTreeSet;

use genome_trace::{
    model::{
        Exec, Metric, Payload, Persona, Process, ProcessKey, Sample, SampleSource, TimeRange,
        Track, WallTime, Watch,
    },
    store::{History as _, Item, Place, Resolution, Store as _, TrackQuery},
};
use rusqlite::{Connection, params};

use crate::parts::{LONG, close, now, reader, writer};

const MINUTE: i64 = 60_000_000_000;
const HOUR: i64 = 60 * MINUTE;
/// A whole hour, long ago.
const BASE: i64 = 1_795_132_800_000_000_000;

fn range(from: i64, until: i64) -> TimeRange {
    TimeRange { from: WallTime { unix_ns: from }, until: WallTime { unix_ns: until } }
}

fn source(name: Option<&str>) -> SampleSource {
    let persona = name.map(|name| Persona { name: name.to_owned(), genome_id: None });
    SampleSource { persona, key: None }
}

/// An empty store, and a connection that writes rows as roll-ups would be.
fn store(folder: &std::path::Path) -> Connection {
    let writer = writer(folder);
    writer.flush(LONG).unwrap();
    close(writer);
    let connection = Connection::open(Place::new(folder).file()).unwrap();
    connection
        .execute_batch(
            "INSERT INTO series (id, metric, persona, seen_ns) VALUES \
             (1, 'rss_bytes', NULL, 9e18), (2, 'threads', 'Judge', 9e18); \
             INSERT INTO series (id, metric, tgid, start_time, seen_ns) VALUES \
             (3, 'threads', 7, 7, 9e18);",
        )
        .unwrap();
    connection
}

fn roll_up(connection: &Connection, table: &str, at_ns: i64, series: i64, average: f64) {
    connection
        .execute(
            &format!("INSERT INTO {table} VALUES (?1, ?2, 60, 1, 9, 5, ?3)"),
            params![at_ns, series, average],
        )
        .unwrap();
}

fn moment(connection: &Connection, at_ns: i64, series: i64, value: f64) {
    connection
        .execute("INSERT INTO samples VALUES (?1, ?2, ?3)", params![at_ns, series, value])
        .unwrap();
}

fn averages(track: &Track) -> Vec<(i64, f64)> {
    track.stretches.iter().map(|of| (of.wall_time.unix_ns - BASE, of.average)).collect()
}

#[test]
fn what_is_not_rolled_up_yet_and_what_is_cut_off_is_read_finer() {
    let folder = tempfile::tempdir().unwrap();
    let connection = store(folder.path());
    roll_up(&connection, "samples_hour", BASE, 1, 1.0);
    roll_up(&connection, "samples_hour", BASE + HOUR, 1, 2.0);
    for minute in 0..125 {
        roll_up(&connection, "samples_minute", BASE + minute * MINUTE, 1, 100.0 + minute as f64);
    }
    for second in [0, 30, 60, 125 * 60, 125 * 60 + 1] {
        moment(&connection, BASE + second * 1_000_000_000, 1, 5.5);
    }
    let read = |from, until, resolution| -> Vec<(i64, f64)> {
        let query = TrackQuery::all(range(BASE + from, BASE + until), resolution);
        let tracks = reader(folder.path()).tracks(&query).unwrap();
        tracks.first().map(averages).unwrap_or_default()
    };
    let tail = |second: i64| (125 * MINUTE + second * 1_000_000_000, 5.5);
    let mut wanted = vec![(0, 1.0), (HOUR, 2.0)];
    wanted.extend((120..125).map(|minute| (minute * MINUTE, 100.0 + minute as f64)));
    wanted.extend([tail(0), tail(1)]);
    assert_eq!(read(0, 3 * HOUR, Resolution::Hour), wanted);
    // Half a minute is cut off at the beginning, and an hour at the end.
    let mut wanted = vec![(MINUTE / 2, 5.5)];
    wanted.extend((1..90).map(|minute| (minute * MINUTE, 100.0 + minute as f64)));
    assert_eq!(read(MINUTE / 2, 90 * MINUTE, Resolution::Hour), wanted);
    assert_eq!(read(30, 30, Resolution::Hour), []);
    assert_eq!(read(-HOUR, 0, Resolution::Minute), []);
    let kept = reader(folder.path()).sampled().unwrap().unwrap();
    assert_eq!(kept, range(BASE, BASE + 125 * MINUTE + 1_000_000_001));
}

#[test]
fn tracks_are_of_the_machine_and_of_personas_as_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let connection = store(folder.path());
    for series in 1..=3 {
        moment(&connection, BASE, series, 8.0);
    }
    let read = |query: &TrackQuery| -> Vec<(SampleSource, Metric)> {
        let tracks = reader(folder.path()).tracks(query).unwrap();
        tracks.into_iter().map(|track| (track.source, track.metric)).collect()
    };
    let all = TrackQuery::all(range(BASE, BASE + 1), Resolution::Minute);
    let machine = (source(None), Metric::RssBytes);
    let judge = (source(Some("Judge")), Metric::Threads);
    assert_eq!(read(&all), [machine, judge.clone()]);
    let of_judge = TrackQuery { personas: vec!["Judge".to_owned()], ..all.clone() };
    assert_eq!(read(&of_judge), std::slice::from_ref(&judge));
    let threads = TrackQuery { metrics: vec![Metric::Threads], ..all.clone() };
    assert_eq!(read(&threads), [judge]);
    let nobody = TrackQuery { personas: vec!["Nobody".to_owned()], ..all };
    assert_eq!(read(&nobody), []);
}

#[test]
fn what_a_writer_took_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path());
    let base = now();
    let at = |second: i64| WallTime { unix_ns: base.unix_ns + second * 1_000_000_000 };
    for second in 0..3 {
        writer.push(Item::Sample(Box::new(Sample {
            wall_time: at(second),
            source: source(Some("Judge")),
            metric: Metric::CpuPercent,
            value: 12.5,
        })));
    }
    writer.flush(LONG).unwrap();
    assert_eq!(reader(folder.path()).sampled().unwrap().map(|of| of.from), Some(base));
    let query = TrackQuery::all(range(base.unix_ns, at(9).unix_ns), Resolution::Hour);
    let tracks = reader(folder.path()).tracks(&query).unwrap();
    let counts: Vec<_> = tracks.iter().map(|track| track.stretches.len()).collect();
    assert_eq!(counts, [3]);
    close(writer);
}

#[test]
fn programs_of_personas_that_ran_then() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path());
    let base = now();
    let persona = Persona { name: "Judge".to_owned(), genome_id: Some("a3f9".to_owned()) };
    for (tgid, persona, exe) in [
        (1, Some(&persona), b"/bin/a".as_slice()),
        (2, Some(&persona), b"/bin/a"),
        (3, None, b"/b"),
    ] {
        writer.push(Item::event(&genome_trace::model::Event {
            ktime_ns: 1,
            wall_time: base,
            process: Some(Process {
                key: ProcessKey { tgid, start_time: 1 },
                tid: None,
                ppid: None,
                uid: None,
                comm: None,
                cgroup_path: None,
                watch: Watch::default(),
            }),
            persona,
            persona_root: None,
            payload: Payload::Exec(Exec {
                exe: Some(exe),
                exe_truncated: false,
                argv: None,
                argv_truncated: false,
                environment: None,
                environment_truncated: false,
            }),
        }));
    }
    writer.flush(LONG).unwrap();
    let ran = |from: i64, until: i64| -> BTreeSet<_> {
        let range = range(base.unix_ns + from, base.unix_ns + until);
        let programs = reader(folder.path()).programs(range).unwrap();
        programs.into_iter().map(|of| (of.persona, of.exe.unwrap_or_default())).collect()
    };
    assert_eq!(ran(0, HOUR), BTreeSet::from([(persona, b"/bin/a".as_slice().into())]));
    close(writer);
}
