//! `--genome-id` without a recorder: a worker of the test's own, what it has
//! open, and a store that is written here.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use genome_trace::{
    model::{Crash, CrashKind, ProcessKey, WallTime},
    store::{Item, Place, Store as _, Writer, WriterOptions},
};
use genome_trace_tests_e2e::{Ended, Waiting};
use serde_json::Value;
use tempfile::TempDir;

use crate::{run, run_unprivileged};

/// Longer than any disk takes; a test that waits for so long has failed.
const LONG: Duration = Duration::from_secs(60);
const NAME: &str = "e2e-one-persona";

fn worker(id: &str) -> Waiting {
    Waiting::start(&[("GENOME_PERSONA", NAME), ("GENOME_ID", id)]).unwrap()
}

/// With a recorder that is not there, and the store that is.
fn ask(prefix: &str, store: &str, format: &str) -> Ended {
    run([
        &format!("--genome-id={prefix}"),
        "--nvml-library=/nonexistent/nvml.so",
        "--socket=/nonexistent/recorder.sock",
        &format!("--store={store}"),
        &format!("--format={format}"),
    ])
}

fn now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    WallTime { unix_ns: i64::try_from(since.as_nanos()).unwrap() }
}

/// A store in a folder that anybody may read.
fn store(items: Vec<Item>) -> TempDir {
    let folder = TempDir::new().unwrap();
    let options = WriterOptions::new("3e0b5b4e-0000-4000-8000-000000000001");
    let writer = Writer::open(Place::new(folder.path()), options).unwrap();
    for item in items {
        writer.push(item);
    }
    writer.flush(LONG).unwrap();
    writer.close().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}

const NOWHERE: &str = "/nonexistent/genome-trace";

#[test]
fn a_prefix_finds_its_persona_with_its_process() {
    let worker = worker("e2e-only-7d21");
    let ended = ask("e2e-only-7", NOWHERE, "json");
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stdout.lines().count(), 1, "one object, one line");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&report["persona"], &report["genome_id"]), (&NAME.into(), &"e2e-only-7d21".into()));
    assert_eq!(report["hour"], Value::Null);
    assert!(report["hour_unknown_because"].is_string(), "{report}");
    let tgids: Vec<_> = report["usage"]["tree"].as_array().unwrap().iter().collect();
    assert!(tgids.iter().any(|of| of["tgid"] == worker.pid()), "{report}");

    let table = ask("e2e-only-7", NOWHERE, "table").stdout;
    for words in [NAME, "Processes", "Models, layers and adapters", "The last hour"] {
        assert!(table.contains(words), "no {words}: {table}");
    }
    let csv = ask("e2e-only-7", NOWHERE, "csv").stdout;
    assert!(csv.starts_with("time,persona,genome_id,tgid,"), "{csv}");
    assert!(csv.contains(&format!(",{NAME},e2e-only-7d21,{},", worker.pid())), "{csv}");
    let metrics = ask("e2e-only-7", NOWHERE, "prometheus").stdout;
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
}

#[test]
fn an_ambiguous_prefix_lists_the_candidates_and_the_whole_id_is_meant() {
    let (_one, _other) = (worker("e2e-amb"), worker("e2e-amb-2"));
    let ended = ask("e2e-am", NOWHERE, "table");
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    for words in [&format!("e2e-amb ({NAME})"), &format!("e2e-amb-2 ({NAME})"), "give more"] {
        assert!(ended.stderr.contains(words), "no {words}: {ended:?}");
    }
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert_eq!(ask("e2e-amb", NOWHERE, "json").code(), Some(0));
}

#[test]
fn a_prefix_that_nobody_has_is_one_sentence() {
    let ended = run_unprivileged([
        "--genome-id=e2e-nobody-has-this",
        "--socket=/nonexistent/recorder.sock",
        "--store=/nonexistent/genome-trace",
    ]);
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("e2e-nobody-has-this"), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
}

#[test]
fn the_store_tells_the_last_hour() {
    let _worker = worker("e2e-hour-1");
    let key = ProcessKey { tgid: 4242, start_time: 7 };
    let crash = |id: &str, reason: &str| {
        Item::Crash(Box::new(Crash {
            persona: Some(NAME.to_owned()),
            genome_id: Some(id.to_owned()),
            ..Crash::new(now(), 9, key, CrashKind::Oom, reason.to_owned())
        }))
    };
    let folder = store(vec![crash("e2e-hour-1", "its own"), crash("e2e-hour-2", "another's")]);
    let ended = ask("e2e-hour-1", folder.path().to_str().unwrap(), "json");
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let crashes = report["hour"]["crashes"].as_array().unwrap();
    let reasons: Vec<_> = crashes.iter().map(|crash| crash["reason"].as_str()).collect();
    assert_eq!(reasons, [Some("its own")]);
    assert_eq!(report["hour"]["series"], Value::Array(Vec::new()));
    assert_eq!(report["crashes_last_hour"], 1);
}
