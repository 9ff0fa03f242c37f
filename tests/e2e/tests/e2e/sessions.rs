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

/// One line each, which names the file and says what to do.
#[test]
fn what_is_no_session_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    fs::create_dir(folder.path().join("folder-personas.csv")).unwrap();
    let missing = folder.path().join("missing-personas.csv");
    for (file, words) in [
        (write("empty-personas.csv", b""), "no column \"time\""),
        (write("head-personas.csv", HEAD.as_bytes()), "it has no look"),
        (
            write("cut-personas.csv", leaking().get(..HEAD.len() + 12).unwrap().as_bytes()),
            "none of",
        ),
        (write("other-personas.csv", b"a,b\n1,2\n"), "no column \"time\""),
        (write("bytes-personas.csv", b"\xff\xfe\n\xff"), "it is no text"),
        (folder.path().join("folder-personas.csv"), "directory"),
        (missing, "No such file"),
    ] {
        let ended = run(["report".as_ref(), file.as_os_str()]);
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        let line = ended.stderr.lines().last().unwrap();
        assert!(line.starts_with("genome-trace: cannot re"), "{line}");
        assert!(line.contains(words) && line.contains("--output"), "no {words}: {line}");
    }
}

/// What a kill left of the last row is counted, and the rest is reported.
#[test]
fn a_session_that_is_cut_short_is_reported_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run-20261125T115230Z-a3f9-personas.csv");
    let whole = leaking();
    fs::write(&file, whole.get(..whole.len() - 60).unwrap()).unwrap();
    let store = folder.path().join("none");
    let ended = run(["report".as_ref(), file.as_os_str(), "--store".as_ref(), store.as_os_str()]);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(ended.stdout.contains("**1 row of the session's files cannot be read**"), "{ended:?}");
}

#[test]
fn a_report_that_cannot_be_written_names_the_folder_and_the_option() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run-20261125T115230Z-a3f9-personas.csv");
    fs::write(&file, leaking()).unwrap();
    for output in ["/proc/genome-trace-report".as_ref(), file.as_os_str()] {
        let options = ["report".as_ref(), file.as_os_str(), "--output-dir".as_ref(), output];
        let ended = run(options);
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        let line = ended.stderr.lines().last().unwrap();
        assert!(line.starts_with("genome-trace: cannot make the folder "), "{line}");
        assert!(line.contains("--output-dir"), "{line}");
    }
}

#[test]
fn names_of_phases_that_are_none() {
    let long = "x".repeat(65);
    for (name, words) in [(long.as_str(), "64 characters"), ("a\nb", "control characters")] {
        let ended = run(["phase", name]);
        assert_eq!(ended.code(), Some(1), "{ended:?}");
        assert!(ended.only_line().unwrap().contains(words), "{ended:?}");
    }
    for wrong in [&["phase"][..], &["phase", ""]] {
        assert_eq!(run(wrong).code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_session_that_is_not_there_is_named() {
    let ended = run(["report", "20260101T000000Z-0000"]);
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.only_line().unwrap().contains("20260101T000000Z-0000"), "{ended:?}");
}
