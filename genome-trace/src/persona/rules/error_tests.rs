//! Tests of what is said of broken rule files.

use super::*;

/// `LINE:COLUMN MESSAGE` of everything wrong.
fn errors(text: &str) -> Vec<String> {
    let told = |error: &RuleError| {
        assert_eq!(error.file, "p.toml");
        assert!(!error.message.contains('\n'), "{error}");
        format!("{}:{} {}", error.line, error.column, error.message)
    };
    RuleFile::parse("p.toml", text).unwrap_err().iter().map(told).collect()
}

fn error(text: &str) -> String {
    let all = errors(text);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.concat()
}

#[test]
fn syntax_errors_have_a_place() {
    assert_eq!(
        error("[[persona]]\nname = ä\n"),
        "2:8 not TOML: string values must be quoted, expected literal string"
    );
    assert_eq!(error("a = 1\na = 2"), "2:1 not TOML: duplicate key");
    let several = errors("x = 'é\n[[persona\nname = 'a'\n");
    assert_eq!(several.len(), 2, "{several:?}");
    assert!(several[0].starts_with("1:7 not TOML: invalid literal string"), "{several:?}");
    assert!(several[1].starts_with("2:10 not TOML: unclosed array table"), "{several:?}");
}

#[test]
fn unknown_keys_are_errors() {
    assert_eq!(
        error("trust-env = []"),
        "1:1 unknown key `trust-env`: did you mean `trust_env`? The keys of a rule file are trust_env, persona"
    );
    assert_eq!(
        error("[[persona]]\nname = '$x'\n  exec = '(?<x>.*)'"),
        "3:3 unknown key `exec`: did you mean `exe`? The keys of a persona are name, genome_id, exe, argv, comm, \
         cgroup, unit, container, uid, cwd"
    );
    assert!(
        error("[[persona]]\nname = 'a'\nuid = 1\nlabel = 'x'")
            .starts_with("4:1 unknown key `label`: ")
    );
    assert!(error("\"a\\n\" = 1").starts_with("1:1 unknown key `a\\n`: "));
}

#[test]
fn wrong_types_are_errors() {
    for (text, expected) in [
        (
            "persona = 1",
            "1:11 `persona` must be a list: write `[[persona]]`, in double brackets, above each rule",
        ),
        (
            "[persona]\nname = 'a'",
            "1:1 `persona` must be a list: write `[[persona]]`, in double brackets, above each rule",
        ),
        (
            "persona = [1]",
            "1:12 a rule cannot be an integer: write `[[persona]]`, in double brackets, above each rule",
        ),
        (
            "trust_env = 'all'",
            "1:13 `trust_env` must be a list of strings, not a string: in brackets, write \"all\", \"uid:1000\" or \"cgroup:/ai\"",
        ),
        (
            "trust_env = ['all', 5]",
            "1:21 a string is needed here, not an integer: write \"all\", \"uid:1000\" or \"cgroup:/ai\"",
        ),
        (
            "trust_env = ['é', 'all']",
            "1:14 `é` names no processes: write \"all\", \"uid:1000\" or \"cgroup:/ai\"",
        ),
        ("[[persona]]\nname = 5\nuid = 1", "2:8 `name` must be a string, not an integer"),
        (
            "[[persona]]\nname = 'a'\ngenome_id = true\nuid = 1",
            "3:13 `genome_id` must be a string, not a boolean",
        ),
        ("[[persona]]\nname = 'a'\nexe = ['b']", "3:7 `exe` must be a string, not a list"),
        ("[[persona]]\nname = 'a'\nexe.b = 'b'", "3:1 `exe` must be a string, not a table"),
        (
            "[[persona]]\nname = ' '\nuid = 1",
            "2:8 `name` is empty: give it a text, or leave it out",
        ),
        (
            "[[persona]]\nname = 'a'\nargv = ''",
            "3:8 `argv` is empty: give it a text, or leave it out",
        ),
        (
            "[[persona]]\nname = 'a'\nuid = -1",
            "3:7 `uid` must be a whole number from 0 to 4294967295, or a list of such, not -1",
        ),
        (
            "[[persona]]\nname = 'a'\nuid = [1, 4294967296]",
            "3:11 `uid` must be a whole number from 0 to 4294967295, or a list of such, not 4294967296",
        ),
        (
            "[[persona]]\nname = 'a'\nuid = 'root'",
            "3:7 `uid` must be a whole number from 0 to 4294967295, or a list of such, not a string",
        ),
        (
            "[[persona]]\nname = 'a'\nuid = []",
            "3:7 `uid` is an empty list, which no process matches: name a user id",
        ),
    ] {
        assert_eq!(error(text), expected, "{text}");
    }
}

#[test]
fn a_rule_needs_a_name_and_a_condition() {
    assert_eq!(
        errors("\n  [[persona]]\n"),
        [
            "2:3 this rule has no `name`: add one, as in name = 'CodeExpert'",
            "2:3 this rule matches everything: add a condition, as in exe = '/usr/bin/python3.*'",
        ]
    );
}

#[test]
fn groups_must_be_there_once() {
    assert_eq!(
        error("[[persona]]\nname = '${x}'\nuid = 1"),
        r"2:8 no condition of this rule has a group `x`: add one, as in argv = '--name (?<x>\S+)'"
    );
    assert_eq!(
        error("[[persona]]\nname = '$1'\nexe = '(.*)'"),
        "2:8 `$1` is a number: groups must be named, as in `(?<group>...)` and `${group}`"
    );
    assert_eq!(
        error("[[persona]]\nname = '$x'\nexe = '(?<x>.*)'\ncomm = '(?<x>.*)'"),
        "4:8 the group `x` is in another condition of this rule too: give each its own name"
    );
    assert_eq!(
        error("[[persona]]\nname = '$x'\nexe = '(?<x>.*'"),
        "3:7 `exe` is no regular expression: unclosed group"
    );
}

#[test]
fn all_errors_of_a_file_are_told_in_its_order() {
    let text = "trust_env = ['x']\npersonas = 1\n[[persona]]\nname = 'a'\n[[persona]]\nexe = '*'\nuid = -1\n";
    let places: Vec<String> = errors(text)
        .iter()
        .map(|error| error.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(places, ["1:14", "2:1", "3:1", "5:1", "6:7", "7:7"]);
}
