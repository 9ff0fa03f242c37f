//! What can be done with personas without tracing: to start a command under
//! one, to look for those of now, and to try a rule file.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::ExitStatusExt as _,
    },
    process::{Command, Stdio},
};

use genome_trace_tests_e2e::{Ended, Waiting, genome_trace};
use serde_json::Value;
use tempfile::TempDir;

use crate::{run, run_unprivileged};

const NAME: &str = "e2e-Prüfer of this test";
const ID: &str = "e2e-gen-1";

/// A rule file in a folder of its own, which goes with the first value. Any
/// user may read it.
fn rule_file(text: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let file = folder.path().join("rules.toml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (folder, file)
}

fn check(text: &str) -> (Ended, String) {
    let (_folder, file) = rule_file(text);
    let ended = run(["personas", "check", &file]);
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    (ended, file)
}

#[test]
fn a_good_file_is_told_what_it_would_match() {
    let (ended, _) = check(
        "trust_env = [\"uid:1000\"]\n\n\
         [[persona]]\nname = 'e2e-nobody'\ngenome_id = 'e2e-1'\nargv = '^no such argument$'\n\n\
         [[persona]]\nname = 'e2e-somebody'\nexe = '.*'\n",
    );
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    // What matches nothing is told by what it asks for.
    assert!(ended.stdout.contains("no such argument"), "{ended:?}");
    assert!(ended.stdout.contains("e2e-somebody"), "{ended:?}");
}

#[test]
fn an_empty_file_is_a_good_one() {
    assert_eq!(check("").0.code(), Some(0));
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_place() {
    for (text, line) in [
        ("[[persona]]\nname = \n", 2),
        ("[[persona]]\nname = 'a'\nargv = '('\n", 3),
        ("[[persona]]\nname = 'a'\nargv = 'x'\nbogus = 'x'\n", 4),
        ("[[persona]]\nname = 'a'\nuid = 'root of all'\n", 3),
        ("trust_env = 5\n", 1),
        ("\n\nbogus = 1\n", 3),
    ] {
        let (ended, file) = check(text);
        assert_eq!(ended.code(), Some(1), "{text:?}: {ended:?}");
        let place = format!("{file}:{line}:");
        let said = ended.stderr.lines().find_map(|said| said.split_once(&place));
        let (_, rest) = said.unwrap_or_else(|| panic!("no {place} for {text:?}: {ended:?}"));
        let (column, message) = rest.split_once(": ").unwrap();
        assert!(column.parse::<usize>().unwrap() >= 1, "{ended:?}");
        assert!(!message.trim().is_empty(), "{ended:?}");
    }
}

#[test]
fn every_mistake_of_a_file_is_told() {
    let (ended, file) =
        check("[[persona]]\nname = 'a'\nargv = '('\n\n[[persona]]\nname = 'b'\ncomm = '['\n");
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    for line in [3, 7] {
        assert!(ended.stderr.contains(&format!("{file}:{line}:")), "{ended:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    for args in [
        &["personas", "check", "/no/such/rules.toml"][..],
        &["personas", "--personas", "/no/such/rules.toml"],
        &["--follow", "--personas", "/no/such/rules.toml"],
    ] {
        let ended = run(args);
        assert_eq!(ended.code(), Some(1), "{args:?}: {ended:?}");
        assert_eq!(ended.stdout, "", "{args:?}");
        assert!(ended.stderr.contains("/no/such/rules.toml"), "{args:?}: {ended:?}");
    }
}

/// Before privileges are asked for, and whoever asks.
#[test]
fn a_broken_file_ends_the_start() {
    let (_folder, file) = rule_file("[[persona]]\nname = \n");
    for ended in [
        run(["--follow", "--personas", &file]),
        run_unprivileged(["--follow", "--personas", &file]),
        run(["personas", "--personas", &file]),
    ] {
        assert_eq!(ended.code(), Some(1), "{ended:?}");
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains(&format!("{file}:2:")), "{ended:?}");
    }
}

const SAY: &str = r#"echo "$GENOME_PERSONA|$GENOME_ID""#;

#[test]
fn a_command_is_run_under_a_persona() {
    let ended = run([
        "run",
        "--name-only",
        "--persona",
        NAME,
        "--genome-id",
        ID,
        "--",
        "/bin/sh",
        "-c",
        SAY,
    ]);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stdout, format!("{NAME}|{ID}\n"));
    assert_eq!(ended.stderr, "");
}

#[test]
fn without_an_id_only_the_name_is_given() {
    let ended = run(["run", "--name-only", "--persona", NAME, "--", "/bin/sh", "-c", SAY]);
    assert_eq!(ended.stdout, format!("{NAME}|\n"), "{ended:?}");
}

/// Not a parent that hands a status on: the command itself.
#[test]
fn the_command_takes_the_place_of_genome_trace() {
    let started = Command::new(genome_trace().unwrap())
        .args(["run", "--name-only", "--persona", NAME, "--", "/bin/sh", "-c", "echo $$"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = started.id();
    let output = started.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{pid}\n"));

    let ended = run(["run", "--name-only", "--persona", NAME, "--", "/bin/sh", "-c", "exit 42"]);
    assert_eq!(ended.code(), Some(42), "{ended:?}");
    let ended =
        run(["run", "--name-only", "--persona", NAME, "--", "/bin/sh", "-c", "kill -TERM $$"]);
    assert_eq!(ended.status.signal(), Some(15), "{ended:?}");
}

#[test]
fn the_commands_own_options_are_left_to_it() {
    let ended =
        run(["run", "--name-only", "--persona", NAME, "--", "/bin/echo", "--persona", "--help"]);
    assert_eq!(ended.stdout, "--persona --help\n", "{ended:?}");
}

#[test]
fn a_command_that_cannot_be_started_has_the_shells_status() {
    let (_folder, no_program) = rule_file("");
    for (command, status) in [
        ("genome-trace-no-such-command", 127),
        ("/no/such/command", 127),
        (no_program.as_str(), 126),
    ] {
        let ended = run(["run", "--name-only", "--persona", NAME, "--", command]);
        assert_eq!(ended.code(), Some(status), "{command}: {ended:?}");
        assert_eq!(ended.stdout, "", "{command}");
        let line = ended.only_line().unwrap_or_else(|| panic!("not one line: {ended:?}"));
        assert!(line.contains(command), "{ended:?}");
    }
}

#[test]
fn run_is_told_what_it_lacks() {
    for args in [
        &["run"][..],
        &["run", "--persona", NAME],
        &["run", "--name-only", "--", "/bin/true"],
        &["run", "--name-only", "--persona", NAME, "--save=x", "--", "/bin/true"],
        &["run", "--repeat=0", "--", "/bin/true"],
        &["run", "--persona", "", "--", "/bin/true"],
        &["run", "--genome-id", ID, "--", "/bin/true"],
    ] {
        let ended = run(args);
        assert_eq!(ended.code(), Some(125), "{args:?}: {ended:?}");
        assert!(ended.stderr.starts_with("error: "), "{args:?}: {ended:?}");
    }
}

/// One that waits, with a persona.
fn waiting(name: &str) -> Waiting {
    Waiting::start(&[("GENOME_PERSONA", name), ("GENOME_ID", ID)]).unwrap()
}

/// The listed personas of that name.
fn listed(ended: &Ended, name: &str) -> Vec<Value> {
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["persona"] == name)
        .collect()
}

#[test]
fn a_process_of_now_is_listed_with_its_persona() {
    let name = format!("e2e-listed-{}", std::process::id());
    let waiting = waiting(&name);
    let lines = listed(&run(["personas", "--format=json"]), &name);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert_eq!(line["v"], 1);
    assert_eq!(line["genome_id"], ID);
    assert_eq!(line["source"], "environment");
    assert!(line["decided_by"].as_str().is_some_and(|text| !text.is_empty()), "{line}");
    assert!(line["since"].as_str().is_some_and(|text| text.contains('T')), "{line}");
    let processes = line["processes"].as_array().unwrap();
    assert_eq!(processes.len(), 1, "{line}");
    assert_eq!(processes[0]["tgid"], waiting.pid());
    assert_eq!(processes[0]["inherited"], false);
    assert!(processes[0]["comm"].as_str().is_some_and(|comm| !comm.is_empty()), "{line}");

    let table = run(["personas"]);
    assert_eq!(table.code(), Some(0), "{table:?}");
    assert!(table.stdout.contains(&name), "{table:?}");
    assert!(table.stdout.contains(&waiting.pid().to_string()), "{table:?}");
}

#[test]
fn a_process_of_now_is_listed_by_a_rule() {
    let name = format!("e2e-by-rule-{}", std::process::id());
    let waiting = waiting("e2e-not-believed");
    let comm = fs::read_to_string(format!("/proc/{}/comm", waiting.pid())).unwrap();
    let (_folder, file) = rule_file(&format!(
        "trust_env = []\n\n[[persona]]\nname = '{name}'\ncomm = '^{}$'\nargv = 'read word'\n",
        comm.trim_end()
    ));
    let lines = listed(&run(["personas", "--format=json", "--personas", &file]), &name);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["source"], "rule");
    assert_eq!(lines[0]["genome_id"], Value::Null);
    assert!(lines[0]["decided_by"].as_str().unwrap().contains(&file), "{lines:?}");
    let processes = lines[0]["processes"].as_array().unwrap();
    assert!(processes.iter().any(|process| process["tgid"] == waiting.pid()), "{lines:?}");
}

/// What one may not look at is left out, not complained of.
#[test]
fn personas_are_listed_without_root() {
    let name = format!("e2e-roots-{}", std::process::id());
    let waiting = waiting(&name);
    let ended = run_unprivileged(["personas", "--format=json"]);
    let lines = listed(&ended, &name);
    // Where the tests run as root, another user asks here, who may not look.
    let may_look = fs::metadata("/proc/self").unwrap().uid() != 0;
    assert_eq!(lines.len(), usize::from(may_look), "{}: {ended:?}", waiting.pid());
}

#[test]
fn a_name_that_a_terminal_would_obey_is_escaped() {
    let name = format!("e2e-a\u{1b}[31mb\nforged-{}", std::process::id());
    let _waiting = waiting(&name);
    let json = run(["personas", "--format=json"]);
    assert_eq!(listed(&json, &name).len(), 1, "{json:?}");
    let table = run(["personas"]);
    assert_eq!(table.code(), Some(0), "{table:?}");
    assert!(!table.stdout.contains('\u{1b}'), "{table:?}");
    assert!(table.stdout.contains("[31mb"), "{table:?}");
    assert!(!table.stdout.lines().any(|line| line.starts_with("forged-")), "{table:?}");
}
