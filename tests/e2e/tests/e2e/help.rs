//! What it says of itself: help, version, completions, manual page.

use genome_trace::{
    model::{CrashKind, EventKind},
    probe::Mode,
};

use crate::run;

#[test]
fn version_is_the_packages() {
    let ended = run(["--version"]);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stdout, format!("genome-trace {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(ended.stderr, "");
}

#[test]
fn help_names_every_kind_mode_and_filter() {
    for option in ["-h", "--help"] {
        let ended = run([option]);
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert_eq!(ended.stderr, "");
        // As lines are broken, a name may stand at the end of one.
        let words: Vec<&str> =
            ended.stdout.split(|c: char| c.is_whitespace() || c == ',').collect();
        let names = EventKind::ALL.map(EventKind::name);
        let names = names.into_iter().chain(CrashKind::ALL.map(CrashKind::name));
        for name in names.chain(Mode::ALL.map(Mode::name)) {
            assert!(words.contains(&name), "{option} does not name {name}:\n{}", ended.stdout);
        }
        for filter in ["--pid", "--comm", "--kind", "--uid", "--cgroup", "--exclude-self"] {
            assert!(ended.stdout.contains(filter), "{option} does not name {filter}");
        }
        for option in [
            "--stats",
            "--sort",
            "--genome-id",
            "--gpu-interval",
            "--nvml-library",
            "libnvidia-ml.so.1",
            "--crashes",
            "--last",
            "--store",
        ] {
            assert!(ended.stdout.contains(option), "no {option}");
        }
        assert!(!ended.stdout.contains("--kernel-log"), "it is for tests alone");
        assert!(ended.stdout.contains("CAP_BPF and CAP_PERFMON"));
        assert!(!ended.stdout.contains('\u{1b}'), "colour in a file");
    }
}

#[test]
fn no_arguments_at_all_get_help_and_not_a_trace() {
    let ended = run([""; 0]);
    assert_eq!(ended.code(), Some(2), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("Usage:"), "{ended:?}");
}

#[test]
fn actions_have_help_of_their_own() {
    for action in ["doctor", "compare", "completions", "man"] {
        let ended = run([action, "--help"]);
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert!(ended.stdout.contains(action), "{ended:?}");
    }
}

#[test]
fn completions_know_the_options() {
    for (shell, sign) in
        [("bash", "complete -F"), ("zsh", "#compdef genome-trace"), ("fish", "complete -c")]
    {
        let ended = run(["completions", shell]);
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert_eq!(ended.stderr, "");
        for text in [sign, "genome-trace", "probe-mode", "doctor", "stats", "gpu-interval"] {
            assert!(ended.stdout.contains(text), "{shell}: no {text}");
        }
    }
}

#[test]
fn manual_page_is_one() {
    let ended = run(["man"]);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    for text in
        [".TH genome-trace 1", ".SH SYNOPSIS", ".SH OPTIONS", r"\-\-probe\-mode", r"\-\-stats"]
    {
        assert!(ended.stdout.contains(text), "no {text}");
    }
}
