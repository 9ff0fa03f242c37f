//! Without privileges: what is missing, and what to do about it.

use crate::run_unprivileged;

#[test]
fn follow_names_the_capabilities_and_the_remedy() {
    // A recorder that runs on this machine is not asked.
    for args in [
        &["--follow", "--own-probes"][..],
        &["--follow", "--own-probes", "--format=json", "--kind=exec", "--duration=1s"],
    ] {
        let ended = run_unprivileged(args);
        assert_eq!(ended.code(), Some(1), "{ended:?}");
        assert_eq!(ended.stdout, "");
        let line = ended.only_line().unwrap_or_else(|| panic!("not one line: {ended:?}"));
        assert!(line.starts_with("genome-trace: cannot trace"), "{line}");
        for word in ["CAP_BPF", "CAP_PERFMON", "sudo", "setcap", "recorder"] {
            assert!(line.contains(word), "no {word}: {line}");
        }
    }
}

#[test]
fn what_only_prints_needs_none() {
    for args in [&["--version"][..], &["--help"], &["man"], &["completions", "zsh"]] {
        let ended = run_unprivileged(args);
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert_eq!(ended.stderr, "");
    }
}
