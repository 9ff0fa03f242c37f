//! Wrong command lines: one clear sentence, and a status that says whose
//! fault it was.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

use genome_trace::{
    model::{CrashKind, EventKind},
    probe::Mode,
};

use crate::{run, run_unprivileged};

/// An option without its value.
fn name_of(option: &str) -> &str {
    option.split_once('=').map_or(option, |(name, _)| name)
}

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
    assert!(complaint(["doctor", "--uid=1"]).contains("'--uid'"));
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
fn there_is_one_view_at_a_time() {
    let said = complaint(["--follow", "--stats"]);
    assert!(said.contains("'--follow'") && said.contains("'--stats'"), "{said}");
    assert!(complaint(["--stats", "doctor"]).contains("'doctor'"));
    let ended = run(["--no-color"]);
    assert_eq!(ended.code(), Some(2), "{ended:?}");
    assert!(ended.stderr.contains("--follow") && ended.stderr.contains("--stats"), "{ended:?}");
}

/// What a report has no use for is refused, not ignored.
#[test]
fn what_takes_events_is_refused_for_a_report() {
    for option in [
        "--kind=exec",
        "--persona=x",
        "--pid=1",
        "--comm=x",
        "--uid=1",
        "--cgroup=/x",
        "--exclude-self=false",
        "--duration=1s",
        "--probe-mode=kprobe",
        "--ring-size=64K",
        "--lifecycle-ring-size=64K",
        "--record-raw=x",
        "--gpu-interval=1s",
        "--kernel-log=x",
    ] {
        let said = complaint(["--stats", option]);
        let name = name_of(option);
        assert!(said.contains("'--stats'") && said.contains(name), "{option}: {said}");
    }
}

#[test]
fn crashes_take_no_option_of_events() {
    for option in [
        "--pid=1",
        "--comm=x",
        "--uid=1",
        "--cgroup=/x",
        "--exclude-self=false",
        "--duration=1s",
        "--probe-mode=kprobe",
        "--gpu-interval=1s",
        "--nvml-library=x",
        "--personas=x",
    ] {
        let said = complaint(["--crashes", option]);
        let name = name_of(option);
        assert!(said.contains("'--crashes'") && said.contains(name), "{option}: {said}");
    }
    for option in ["--last=1h", "--since=14:00", "--until=14:00", "--all", "--crash=1"] {
        let ended = run(["--follow", option]);
        assert_eq!(ended.code(), Some(2), "{option}: {ended:?}");
        assert!(ended.stderr.contains("--crashes"), "{option}: {ended:?}");
    }
}

#[test]
fn which_crashes_is_said_in_one_way() {
    for (one, other) in [
        ("--last=1h", "--since=14:00"),
        ("--last=1h", "--until=14:00"),
        ("--crash=1", "--all"),
        ("--crash=1", "--last=1h"),
        ("--crash=1", "--persona=x"),
        ("--crash=1", "--format=prometheus"),
    ] {
        let said = complaint(["--crashes", one, other]);
        for option in [one, other] {
            let name = name_of(option);
            assert!(said.contains(name), "{one} {other}: {said}");
        }
    }
}

#[test]
fn kinds_of_crashes_and_of_events_are_not_mixed() {
    let said = complaint(["--crashes", "--kind=exit"]);
    for kind in CrashKind::ALL {
        assert!(said.contains(kind.name()), "{said}");
    }
    let said = complaint(["--follow", "--kind=exit,oom"]);
    assert!(said.contains("'oom'") && said.contains("oom_kill"), "{said}");
    let said = complaint(["--crashes", "--kind=bogus"]);
    assert!(said.contains("\"bogus\"") && said.contains("gpu_fault"), "{said}");
}

#[test]
fn times_that_are_none() {
    for option in [
        "--last=0s",
        "--last=soon",
        "--last=",
        "--since=soon",
        "--since=",
        "--until=25:00",
        "--crash=x",
    ] {
        let said = complaint(["--crashes", option]);
        let name = name_of(option);
        assert!(said.contains(name), "{option}: {said}");
    }
}

#[test]
fn events_are_no_csv() {
    let said = complaint(["--follow", "--format=csv"]);
    assert!(said.contains("'--crashes'") && said.contains("'--stats'"), "{said}");
}

#[test]
fn what_nothing_is_sorted_by_is_answered_with_what_there_is() {
    let said = complaint(["--stats", "--sort=memory"]);
    for word in ["memory", "rss_bytes", "cpu_percent", "name", "crashes", "age"] {
        assert!(said.contains(word), "no {word}: {said}");
    }
    let said = complaint(["--follow", "--sort=age"]);
    assert!(said.contains("'--follow'") && said.contains("--sort"), "{said}");
}

#[test]
fn one_persona_takes_no_option_of_events() {
    for option in ["--follow", "--crashes", "--history=1h", "--pid=1", "--kind=exec", "--watch"] {
        let said = complaint(["--genome-id=a3f9", option]);
        assert!(said.contains("'--genome-id"), "{option}: {said}");
    }
    assert_eq!(run(["--genome-id="]).code(), Some(2));
}

#[test]
fn events_are_no_metrics() {
    let said = complaint(["--follow", "--format=prometheus"]);
    for word in ["prometheus", "--follow", "--stats", "--format=json"] {
        assert!(said.contains(word), "no {word}: {said}");
    }
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
        "--gpu-interval=",
        "--gpu-interval=0s",
        "--gpu-interval=1ms",
        "--gpu-interval=never",
        "--nvml-library=",
    ] {
        let said = complaint(["--follow", option]);
        let name = name_of(option);
        assert!(said.contains(name), "{option}: {said}");
    }
}

#[test]
fn times_to_measure_that_are_none() {
    for time in ["", "0s", "5", "soon", "-1s"] {
        let said = complaint(["doctor", &format!("--cost={time}")]);
        assert!(said.contains("--cost"), "{time}: {said}");
    }
    // A time is given with `=`, so that what follows is never taken for one.
    assert!(complaint(["doctor", "--cost", "5s"]).contains("'5s'"));
}

/// What only a measurement has use for is refused without one, whatever else
/// there is, and the remedy is named.
#[test]
fn what_takes_a_measurement_is_refused_without() {
    for option in ["--format=prometheus", "--pid=1", "--persona=x", "--personas=x"] {
        let ended = run(["doctor", option]);
        assert_eq!(ended.code(), Some(2), "{option}: {ended:?}");
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains("--cost"), "{option}: {ended:?}");
    }
}

#[test]
fn nobody_to_measure_is_told() {
    let ended = run(["doctor", "--cost", "--pid=4294967295"]);
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("process 4294967295"), "{ended:?}");
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
