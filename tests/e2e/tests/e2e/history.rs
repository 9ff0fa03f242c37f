//! `--history` and `--compare` over stores that are written here, by the
//! library: what a recorder would have kept.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use genome_trace::{
    model::{Metric, Persona, Sample, SampleSource, WallTime},
    store::{Item, Place, QueueLimits, Store as _, Writer, WriterOptions},
};
use genome_trace_tests_e2e::{Ended, Invocation};
use serde_json::Value;
use tempfile::TempDir;

use crate::{run, run_unprivileged};

/// Longer than any disk takes; a test that waits for so long has failed.
const LONG: Duration = Duration::from_secs(60);
const SECOND: i64 = 1_000_000_000;

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_nanos()).unwrap()
}

fn sample(at: i64, persona: Option<&str>, metric: Metric, value: f64) -> Item {
    let genome_id = Some("a3f9".to_owned());
    let persona = persona.map(|name| Persona { name: name.to_owned(), genome_id });
    Item::Sample(Box::new(Sample {
        wall_time: WallTime { unix_ns: at },
        source: SampleSource { persona, key: None },
        metric,
        value,
    }))
}

/// A store in a folder that anybody may read.
fn store(items: impl IntoIterator<Item = Item>) -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut options = WriterOptions::new("3e0b5b4e-0000-4000-8000-000000000001");
    options.queue = QueueLimits { items: 1 << 17, bytes: 256 << 20 };
    let writer = Writer::open(Place::new(folder.path()), options).unwrap();
    for item in items {
        writer.push(item);
    }
    writer.flush(LONG).unwrap();
    assert_eq!(writer.status().unstored.values().sum::<u64>(), 0);
    writer.close().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        fs::set_permissions(entry.unwrap().path(), Permissions::from_mode(0o644)).unwrap();
    }
    folder
}

/// Twenty minutes of the machine and of a persona, whose memory doubles ten
/// minutes ago and whose CPU time does not change. Two minutes are missing.
fn twenty_minutes() -> TempDir {
    minutes_with(|ago| if ago < 600 { 2e9 } else { 1e9 })
}

fn minutes_with(memory: fn(i64) -> f64) -> TempDir {
    let until = now();
    store((0..1200).filter(|ago| !(240..360).contains(ago)).flat_map(|ago| {
        let at = until - ago * SECOND;
        let cpu = 100.0 + (ago % 7) as f64;
        [
            sample(at, None, Metric::CpuPercent, cpu),
            sample(at, Some("CodeExpert"), Metric::RssBytes, memory(ago) + (ago % 5) as f64),
            sample(at, Some("CodeExpert"), Metric::CpuPercent, cpu),
        ]
    }))
}

fn report(folder: &TempDir, options: &[&str]) -> Ended {
    let place = format!("--store={}", folder.path().display());
    let ended = run_unprivileged([&[place.as_str()], options].concat());
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    ended
}

fn json(folder: &TempDir, options: &[&str]) -> Value {
    let said = report(folder, &[options, &["--format=json"]].concat()).stdout;
    assert_eq!(said.lines().count(), 1, "one object, one line");
    serde_json::from_str(&said).unwrap()
}

fn refused(folder: &TempDir, options: &[&str]) -> String {
    let place = format!("--store={}", folder.path().display());
    let ended = run_unprivileged([&[place.as_str()], options].concat());
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    ended.only_line().unwrap_or_else(|| panic!("{ended:?}")).to_owned()
}

#[test]
fn figures_charts_and_gaps_without_root() {
    let folder = twenty_minutes();
    let said = report(&folder, &["--history=20m"]).stdout;
    for words in ["Machine", "CodeExpert (a3f9)", "from each sample", "P95", "CPU time, in percent"]
    {
        assert!(said.contains(words), "no {words}: {said}");
    }
    assert!(said.is_ascii(), "no locale is set: {said}");
    let place = format!("--store={}", folder.path().display());
    let drawn = Invocation::new(["--history=20m", place.as_str(), "--metric=rss_bytes"]).unwrap();
    let drawn = drawn.env("LC_ALL", "C.UTF-8").run().unwrap();
    assert!(drawn.stdout.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)), "{drawn:?}");
    assert!(!drawn.stdout.contains("Machine"), "only CodeExpert has it: {drawn:?}");
}

#[test]
fn history_as_json_csv_and_metrics() {
    let folder = minutes_with(|ago| 2e9 - 5e5 * ago as f64);
    let said = json(&folder, &["--history=20m", "--persona=CodeExpert"]);
    let series = said.get("series").and_then(Value::as_array).unwrap();
    assert_eq!(series.len(), 2);
    let rss = series.first().unwrap();
    assert_eq!(rss.get("metric").and_then(Value::as_str), Some("rss_bytes"));
    assert_eq!(rss.get("trend").and_then(Value::as_str), Some("rising"));
    let points = rss.get("points").and_then(Value::as_array).unwrap();
    let gaps = points.iter().filter(|point| point.is_null()).count();
    assert!((58..=64).contains(&gaps), "two minutes in steps of two seconds: {gaps}");
    let count = rss.get("summary").and_then(|of| of.get("count")).and_then(Value::as_u64);
    assert!(count.is_some_and(|count| (1060..=1080).contains(&count)), "{count:?}");
    let said = report(&folder, &["--history=20m", "--format=csv"]).stdout;
    assert!(said.starts_with("time,persona,genome_id,metric,"), "{said}");
    let said = report(&folder, &["--history=20m", "--format=prometheus"]).stdout;
    assert!(said.contains(r#"cpu_ratio{persona="",genome_id="",figure="max"} 1.060"#), "{said}");
    assert!(said.ends_with("# EOF\n"), "{said}");
}

#[test]
fn what_changed_is_told_and_noise_is_not() {
    let folder = twenty_minutes();
    let said = json(&folder, &["--compare=10m"]);
    let comparisons = said.get("comparisons").and_then(Value::as_array).unwrap();
    let changes: Vec<_> = comparisons
        .iter()
        .map(|of| {
            let text = |name| of.get(name).and_then(Value::as_str).unwrap_or("-");
            (text("persona"), text("metric"), text("change"))
        })
        .collect();
    let wanted = [
        ("-", "cpu_percent", "unchanged"),
        ("CodeExpert", "rss_bytes", "worse"),
        ("CodeExpert", "cpu_percent", "unchanged"),
    ];
    assert_eq!(changes, wanted, "{said}");
    let said = report(&folder, &["--compare=10m"]).stdout;
    for words in ["Now:", "Then:", "WORSE", "UNCHANGED", "What else changed"] {
        assert!(said.contains(words), "no {words}: {said}");
    }
    let said = report(&folder, &["--compare=10m", "--format=csv"]).stdout;
    assert_eq!(said.lines().count(), 4, "{said}");
}

#[test]
fn what_makes_no_sense_is_one_sentence() {
    let folder = twenty_minutes();
    for (options, words) in [
        (&["--compare=2150-01-01"][..], "is in the future"),
        (&["--compare=2150-01-01T10:00..11:00"], "in the future"),
        (&["--compare=2020-01-01T11:00..10:00"], "not before its end"),
        (&["--history=20m", "--persona=Nobody"], "--persona can be CodeExpert"),
        (&["--history=20m", "--metric=vram_bytes"], "--metric can be cpu_percent, rss_bytes"),
        (
            &["--history=20m", "--persona=CodeExpert", "--metric=vram_bytes"],
            "has no vram_bytes in that time",
        ),
        (
            &["--history=20m", "--persona=Nobody", "--metric=rss_bytes"],
            "no figures of Nobody in that time",
        ),
    ] {
        let said = refused(&folder, options);
        assert!(said.contains(words), "{options:?}: {said}");
    }
    let empty = store([]);
    for view in ["--history=1h", "--compare=1h"] {
        assert!(refused(&empty, &[view]).contains("has no figures yet"));
    }
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    assert!(refused(&folder, &["--history=1h"]).contains("`sudo genome-trace record`"));
}

/// Whoever was given a copy may write nothing beside it.
#[test]
fn a_copy_in_a_folder_of_somebody_elses_can_be_read() {
    let folder = twenty_minutes();
    let copy = folder.path().join("copy.db");
    fs::copy(folder.path().join("genome-trace.db"), &copy).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(0o644)).unwrap();
    let ended = run_unprivileged(["--history=20m", &format!("--store={}", copy.display())]);
    assert_eq!((ended.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.stdout.contains("CodeExpert (a3f9)"), "{ended:?}");
}

/// One sentence each, which says it once and names the file.
#[test]
fn a_store_that_cannot_be_read_is_one_sentence() {
    let folder = twenty_minutes();
    let file = |name: &str, bytes: &[u8], mode: u32| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    };
    let whole = fs::read(folder.path().join("genome-trace.db")).unwrap();
    fs::create_dir(folder.path().join("folder.db")).unwrap();
    for (path, words) in [
        (file("other.db", &[b'x'; 4096], 0o644), "not a database"),
        (file("cut.db", whole.get(..whole.len() / 2).unwrap(), 0o644), "malformed"),
        (file("empty.db", b"", 0o644), "is empty"),
        (file("closed.db", &whole, 0o600), "permission denied"),
        (folder.path().join("folder.db"), "is a directory"),
    ] {
        for view in ["--history=1h", "--compare=1h"] {
            let place = format!("--store={}", path.display());
            let ended = run_unprivileged([view, place.as_str()]);
            assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
            let line = ended.only_line().unwrap_or_else(|| panic!("{ended:?}"));
            assert!(line.starts_with("genome-trace: cannot "), "{line}");
            assert_eq!(line.matches(words).count(), 1, "{words}: {line}");
            assert!(line.contains(&path.display().to_string()), "{line}");
        }
    }
}

#[test]
fn wrong_options_name_what_there_is() {
    for (options, words) in [
        (&["--history=0s"][..], "give a time above 0"),
        (&["--history=1h", "--metric=vram"], "no metric is called \"vram\"; there are rss_bytes"),
        (&["--compare=soon"], "give yesterday"),
        (&["--compare=0h"], "give yesterday"),
        (&["--compare=1h", "--format=prometheus"], "two stretches of time are no metric"),
        (&["--history=1h", "--pid=1"], "cannot be used with"),
        (&["--history=1h", "--compare=1h"], "cannot be used with"),
        (&["--crashes", "--metric=rss_bytes"], "cannot be used with"),
    ] {
        let ended = run(options);
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert!(ended.stderr.contains(words), "{options:?}: {ended:?}");
    }
}
