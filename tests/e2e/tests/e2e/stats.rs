//! `--stats` on a machine without a GPU, or at least without the library that
//! is asked for: a report that says so, in every format, and no failure.

use std::fs;

use genome_trace_tests_e2e::Ended;
use serde_json::Value;
use tempfile::TempDir;

use crate::{run, run_unprivileged};

const NOWHERE: &str = "--nvml-library=/nonexistent/nvml.so";

/// Neither a recorder nor a store: what this machine has does not matter.
const ALONE: [&str; 4] = [
    "--stats",
    NOWHERE,
    "--socket=/nonexistent/recorder.sock",
    "--store=/nonexistent/genome-trace",
];

fn report(format: &str) -> Ended {
    let [stats, library, socket, store] = ALONE;
    let format = format!("--format={format}");
    let ended = run_unprivileged([stats, library, socket, store, &format]);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    ended
}

#[test]
fn people_are_told_that_there_is_none_and_why() {
    let said = report("table").stdout;
    assert!(!said.contains('\u{1b}'), "colour in a file");
    for word in ["no GPU", "/nonexistent/nvml.so", "--nvml-library"] {
        assert!(said.contains(word), "no {word}: {said}");
    }
}

#[test]
fn json_has_null_for_what_could_not_be_asked() {
    let said = report("json").stdout;
    assert_eq!(said.lines().count(), 1, "one object, one line");
    let report: Value = serde_json::from_str(&said).unwrap();
    for (field, value) in [
        ("v", Value::from(1)),
        ("version", Value::from(env!("CARGO_PKG_VERSION"))),
        ("access", Value::from("no_library")),
        ("library", Value::from("/nonexistent/nvml.so")),
        ("gpus", Value::Null),
        ("personas", Value::Null),
        ("driver_version", Value::Null),
        ("status", Value::Null),
        ("reasons", Value::Null),
        ("active_personas", Value::Null),
        ("machine", Value::Null),
        ("recent", Value::Null),
        ("sorted_by", Value::from("rss_bytes")),
        ("recommendations", Value::Array(Vec::new())),
    ] {
        assert_eq!(report.get(field), Some(&value), "{field}: {report}");
    }
}

/// What is missing is said once each, with what to do.
#[test]
fn without_a_recorder_and_a_store_it_is_said_what_is_unknown_and_what_to_do() {
    let said = report("table").stdout.replace('\n', " ");
    for words in [
        "Status: unknown",
        "What personas use is unknown: ",
        "genome-trace record",
        "How the last minutes went is unknown: ",
        "/nonexistent/genome-trace",
    ] {
        assert!(said.contains(words), "no {words}: {said}");
    }
    let report: Value = serde_json::from_str(&report("json").stdout).unwrap();
    for field in ["usage_unknown_because", "recent_unknown_because"] {
        assert!(report.get(field).is_some_and(Value::is_string), "{field}: {report}");
    }
}

/// A table of nobody would say that there is nobody.
#[test]
fn csv_without_figures_is_a_failure_that_says_why() {
    let [stats, library, socket, store] = ALONE;
    let ended = run_unprivileged([stats, library, socket, store, "--format=csv"]);
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("What personas use is unknown: "), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
}

#[test]
fn metrics_say_no_more_than_that() {
    let said = report("prometheus").stdout;
    let samples: Vec<_> = said.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(samples, ["genome_trace_gpu_driver_ready 0"]);
    assert!(said.ends_with("# EOF\n"), "{said}");
}

/// Also where nothing is on a GPU, so that nobody has to be told apart.
#[test]
fn wrong_rules_are_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rules.toml");
    fs::write(&path, "bogus = 1\n").unwrap();
    let ended = run(["--stats", NOWHERE, &format!("--personas={}", path.display())]);
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("bogus"), "{ended:?}");
}
