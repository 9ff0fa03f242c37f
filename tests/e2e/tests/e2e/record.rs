//! `record` without what it needs, and with a configuration that is wrong.

use std::fs;

use crate::{run, run_unprivileged};

/// The one line on stderr of a run that failed.
fn refusal(ended: &genome_trace_tests_e2e::Ended) -> String {
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "");
    let line = ended.only_line().unwrap_or_else(|| panic!("not one line: {ended:?}"));
    assert!(line.starts_with("genome-trace: cannot "), "{line}");
    line.to_owned()
}

#[test]
fn without_privileges_it_names_them_and_leaves_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let line =
        refusal(&run_unprivileged(["record".as_ref(), "--store".as_ref(), store.as_os_str()]));
    for word in ["CAP_BPF", "CAP_PERFMON", "sudo", "setcap"] {
        assert!(line.contains(word), "no {word}: {line}");
    }
    assert!(!store.exists());
}

#[test]
fn a_wrong_configuration_is_told_with_its_line_before_anything_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    for (text, place, word) in [
        ("[retention]\nevents = \"soon\"\n", "config.toml:2: ", "soon"),
        ("[retention]\nsize = \"3K\"\n", "config.toml:2: ", "1M"),
        ("# a comment\n\n[retentions]\n", "config.toml:3: ", "retentions"),
        ("[retention\n", "config.toml:1: ", "correct"),
    ] {
        fs::write(&file, text).unwrap();
        let line = refusal(&run(["record".as_ref(), "--config".as_ref(), file.as_os_str()]));
        assert!(line.contains(place) && line.contains(word), "{line}");
        assert!(line.contains("docs/recorder.md"), "no remedy: {line}");
    }
    fs::remove_file(&file).unwrap();
    let line = refusal(&run(["record".as_ref(), "--config".as_ref(), file.as_os_str()]));
    assert!(line.contains("config.toml: ") && line.contains("correct its path"), "{line}");
}

#[test]
fn a_group_that_is_not_there_is_named() {
    let line = refusal(&run(["record", "--group=no-such-group-of-anybody"]));
    assert!(line.contains("no-such-group-of-anybody") && line.contains("groupadd"), "{line}");
}

#[test]
fn help_says_where_and_how_long() {
    let ended = run(["record", "--help"]);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    for word in ["--store", "/var/lib/genome-trace", "--config", "config.toml", "--group"] {
        assert!(ended.stdout.contains(word), "no {word}: {}", ended.stdout);
    }
}

/// Before anything is made: no store is left.
#[test]
fn a_port_that_is_taken_is_told_in_one_line() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let ended = run([
        "record".as_ref(),
        "--listen".as_ref(),
        address.as_ref(),
        "--store".as_ref(),
        store.as_os_str(),
    ]);
    let line = refusal(&ended);
    // Without privileges it is these that are told of first.
    if !line.contains("CAP_BPF") {
        assert!(line.contains(&address) && line.contains("--listen"), "{line}");
    }
    assert!(!store.exists());
}

#[test]
fn an_address_that_is_none_is_a_usage_error() {
    let ended = run(["record", "--listen", "localhost"]);
    assert_eq!(ended.code(), Some(2), "{ended:?}");
    assert!(ended.stderr.contains("127.0.0.1:9469"), "{ended:?}");
}
