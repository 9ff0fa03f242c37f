//! `run` where nothing can be traced: the command runs all the same, unless a
//! report is asked for.

use std::os::unix::process::ExitStatusExt as _;

use genome_trace_tests_e2e::Ended;

use crate::{run, run_unprivileged};

const OURS: i32 = 125;

/// The line that says that nothing is traced, and why.
fn is_told(ended: &Ended) -> bool {
    ended.only_line().is_some_and(|line| {
        ["not traced", "CAP_BPF", "CAP_PERFMON", "sudo"].iter().all(|word| line.contains(word))
    })
}

#[test]
fn without_privileges_the_command_runs_and_it_is_said_that_it_is_not_traced() {
    let ended = run_unprivileged(["run", "--", "/bin/sh", "-c", "echo here; exit 3"]);
    assert_eq!(ended.code(), Some(3), "{ended:?}");
    assert_eq!(ended.stdout, "here\n");
    assert!(is_told(&ended), "{ended:?}");

    let ended = run_unprivileged(["run", "--", "/bin/sh", "-c", "kill -TERM $$"]);
    assert_eq!(ended.status.signal(), Some(15), "{ended:?}");
    let ended =
        run_unprivileged(["run", "--persona=P", "--", "/bin/sh", "-c", "echo $GENOME_PERSONA"]);
    assert_eq!(ended.stdout, "P\n", "{ended:?}");
    assert!(is_told(&ended), "{ended:?}");
}

#[test]
fn with_a_name_only_nothing_is_said() {
    let ended = run_unprivileged(["run", "--name-only", "--persona=P", "--", "/bin/echo", "here"]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("here\n", ""), "{ended:?}");
}

#[test]
fn where_a_report_is_asked_for_the_command_does_not_run_without_one() {
    for option in ["--save=/dev/null", "--format=json", "--repeat=2"] {
        let ended = run_unprivileged(["run", option, "--", "/bin/echo", "here"]);
        assert_eq!(ended.code(), Some(OURS), "{option}: {ended:?}");
        assert_eq!(ended.stdout, "", "{option}");
        let line = ended.only_line().unwrap_or_else(|| panic!("not one line: {ended:?}"));
        assert!(line.contains("CAP_BPF") && line.contains("CAP_PERFMON"), "{ended:?}");
    }
}

#[test]
fn a_user_that_is_none_and_a_configuration_that_is_none_are_told_before_the_command_runs() {
    let ended = run(["run", "--user=no-such-user-of-anybody", "--", "/bin/echo", "here"]);
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(OURS), ""), "{ended:?}");
    assert!(ended.stderr.contains("no-such-user-of-anybody"), "{ended:?}");

    let ended = run_unprivileged(["run", "--user=root", "--", "/bin/echo", "here"]);
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(OURS), ""), "{ended:?}");
    assert!(ended.stderr.contains("only root"), "{ended:?}");

    let ended = run(["run", "--config=/no/such/config.toml", "--", "/bin/echo", "here"]);
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(OURS), ""), "{ended:?}");
}

#[test]
fn a_rule_or_a_baseline_that_is_none_is_told_before_the_command_runs() {
    for (options, words) in [
        (&["--fail-on=crashes"][..], "crashes"),
        (&["--fail-on=no_such_metric>0"], "no_such_metric"),
        (&["--fail-on=files_created>+10%"], "--baseline"),
        (&["--fail-on=new-executable"], "--baseline"),
        (&["--baseline=/no/such/report.json"], "/no/such/report.json"),
        (&["--save=/no/such/folder/report.json"], "--save"),
        (&["--output=/no/such/folder/report.xml"], "--output"),
        (&["--tolerance=5"], "--baseline"),
        (&["--format=xml"], "junit"),
    ] {
        let ended = run([&["run"], options, &["--", "/bin/echo", "here"]].concat());
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(OURS), ""), "{ended:?}");
        assert!(ended.stderr.contains(words), "{options:?}: {ended:?}");
    }
}

#[test]
fn a_projects_own_rules_are_no_pass_where_nothing_can_be_traced() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ci.toml");
    // Whoever may not trace must be able to read it.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let config = format!("--config={}", file.display());
    for (rule, word) in [("crashes>0", "CAP_BPF"), ("crashes", "ci.toml")] {
        std::fs::write(&file, format!("[ci]\nfail_on = [{rule:?}]\n")).unwrap();
        let ended = run_unprivileged(["run", &config, "--", "/bin/echo", "here"]);
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(OURS), ""), "{ended:?}");
        assert!(ended.stderr.contains(word), "{rule}: {ended:?}");
    }
}
