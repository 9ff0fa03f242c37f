//! Wrong command lines: one clear sentence, and a status that says whose
//! fault it was.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

use genome_trace::{model::EventKind, probe::Mode};

use crate::{run, run_unprivileged};

/// What stands on stderr of a command line that is refused as such.
fn complaint<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> String {
    let ended = run(args);
    assert_eq!(ended.code(), Some(2), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    // The first line says it all; a hint at the usage may follow.
    let mut lines = ended.stderr.lines();
    let sentence = lines.next().unwrap_or_default();
    assert!(sentence.starts_with("error: "), "{ended:?}");
    sentence.to_owned()
}

#[test]
fn unknown_words_are_named() {
    assert!(complaint(["--bogus"]).contains("'--bogus'"));
    assert!(complaint(["bogus"]).contains("'bogus'"));
    assert!(complaint(["--follow", "bogus"]).contains("'bogus'"));
    assert!(complaint(["completions", "tcsh"]).contains("'tcsh'"));
    assert!(complaint(["doctor", "--pid=1"]).contains("'--pid'"));
}

#[test]
fn view_and_action_do_not_go_together() {
    assert!(complaint(["--follow", "doctor"]).contains("'doctor'"));
}

#[test]
fn filters_alone_are_no_view() {
    let ended = run(["--kind=exec"]);
    assert_eq!(ended.code(), Some(2), "{ended:?}");
    assert!(ended.stderr.contains("--follow"), "{ended:?}");
}

#[test]
fn unknown_kind_is_told_the_known_ones() {
    for kind in ["crash", "", "EXEC", "exec,bogus"] {
        let said = complaint(["--follow", &format!("--kind={kind}")]);
        for known in EventKind::ALL {
            assert!(said.contains(known.name()), "{said}");
        }
    }
}

#[test]
fn unknown_mode_is_told_the_known_ones() {
    for args in [&["--follow", "--probe-mode=bogus"][..], &["doctor", "--probe-mode=bogus"]] {
        let said = complaint(args);
        for known in Mode::ALL.map(Mode::name).into_iter().chain(["auto"]) {
            assert!(said.contains(known), "{said}");
        }
    }
}

#[test]
fn values_that_are_none() {
    for option in [
        "--pid=-1",
        "--pid=sshd",
        "--pid=99999999999",
        "--pid=",
        "--uid=-1",
        "--uid=root",
        "--ring-size=",
        "--ring-size=much",
        "--ring-size=4x",
        "--ring-size=-4K",
        "--ring-size=99999999999G",
        "--lifecycle-ring-size=1.5M",
        "--duration=",
        "--duration=soon",
        "--duration=0",
        "--duration=0s",
        "--duration=-1s",
        "--ring-size=0",
        "--ring-size=2G",
        "--lifecycle-ring-size=0",
        "--comm=sixteen-bytes-xx",
        "--cgroup=ai/code",
        "--format=xml",
        "--exclude-self=maybe",
        "--no-color=yes",
    ] {
        let said = complaint(["--follow", option]);
        let name = option.split_once('=').map_or(option, |(name, _)| name);
        assert!(said.contains(name), "{option}: {said}");
    }
}

#[test]
fn bytes_that_are_not_text_are_refused_without_a_panic() {
    for arg in [&b"--comm=\xff"[..], b"\xff", b"--kind=\xff", b"--cgroup=/\xff", b"--format=\xff"] {
        complaint([OsStr::new("--follow"), OsStr::from_bytes(arg)]);
    }
}

/// Values that can be read, but not be used: one line, that names the option,
/// the value and the remedy. They are refused before privileges are asked
/// for, and whoever asks.
#[test]
fn values_that_cannot_be_used() {
    for (option, words) in [
        ("--pid=0", ["process 0", "no process"]),
        ("--pid=4294967295", ["process 4294967295", "no process"]),
    ] {
        for ended in [run(["--follow", option]), run_unprivileged(["--follow", option])] {
            assert_eq!(ended.code(), Some(1), "{option}: {ended:?}");
            assert_eq!(ended.stdout, "");
            for word in words {
                assert!(ended.stderr.contains(word), "{option}: {ended:?}");
            }
            let line = ended.stderr.lines().next().unwrap_or_default();
            assert!(line.starts_with("genome-trace: ") || line.starts_with("error: "), "{line}");
            assert!(!ended.stderr.contains("panicked"), "{ended:?}");
        }
    }
}
