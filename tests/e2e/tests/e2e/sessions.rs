//! `phase` and `report` from outside.

use std::fs;

use genome_trace_tests_e2e::Invocation;

use crate::run;

const HEAD: &str = "time,phase,persona,genome_id,rss_bytes\n";

/// Two idle phases with work between them, and 100 MiB that stay.
fn leaking() -> String {
    let rows = [("idle", 50), ("active", 900), ("idle", 150)];
    let rows = rows.iter().enumerate().map(|(second, (phase, mib))| {
        let time = format!("2026-11-25T11:52:3{second}.000000000Z");
        format!("{time},{phase},,,\n{time},{phase},CodeExpert,a3f9,{}\n", mib << 20)
    });
    format!("{HEAD}{}", rows.collect::<String>())
}

#[test]
fn a_report_says_what_was_not_given_back_and_has_charts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run-20261125T115230Z-a3f9-personas.csv");
    fs::write(&file, leaking()).unwrap();
    let store = folder.path().join("none");
    let arguments = ["report".as_ref(), file.as_os_str(), "--store".as_ref(), store.as_os_str()];
    let ended = run(arguments);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    for words in
        ["# Session 20261125T115230Z-a3f9", "did not give memory back", "100 MiB", "Unknown: "]
    {
        assert!(ended.stdout.contains(words), "no {words}: {}", ended.stdout);
    }
    let report = folder.path().join("report");
    let more = ["--output-dir".as_ref(), report.as_os_str()];
    let ended = run(arguments.into_iter().chain(more));
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let page = fs::read_to_string(report.join("report.md")).unwrap();
    assert!(page.contains("](memory.svg)"), "{page}");
    assert!(fs::read_to_string(report.join("memory.svg")).unwrap().starts_with("<svg "));
}

#[test]
fn without_a_session_phase_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let invocation = Invocation::unprivileged(["phase", "idle"]).unwrap();
    let ended = invocation.env("XDG_RUNTIME_DIR", folder.path()).run().unwrap();
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    let line = ended.only_line().unwrap();
    assert!(line.contains("no session") && line.contains("--output"), "{line}");
}

#[test]
fn a_session_that_is_not_there_is_named() {
    let ended = run(["report", "20260101T000000Z-0000"]);
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.only_line().unwrap().contains("20260101T000000Z-0000"), "{ended:?}");
}
