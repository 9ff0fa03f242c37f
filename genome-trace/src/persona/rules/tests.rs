//! Tests of what rules match, and whose they say a process is.

use super::*;

fn facts<'f>(exe: &'f str, argv: &str) -> Facts<'f> {
    Facts {
        exe: Some(exe.as_bytes().into()),
        comm: Some(b"python3".as_slice().into()),
        argv: Some(argv.replace(' ', "\0").into_bytes().into()),
        cgroup_path: Some(b"/system.slice/ollama.service".as_slice().into()),
        uid: Some(1000),
        cwd: Some(b"/srv/ai/x".as_slice().into()),
        ..Facts::default()
    }
}

fn python() -> Facts<'static> {
    facts("/usr/bin/python3.12", "python3 serve.py --lora a3f9 --port 80")
}

fn rules(text: &str) -> Rules {
    Rules::new(vec![RuleFile::parse("p.toml", text).unwrap()])
}

/// What a single rule with these lines makes of a process.
fn decided(lines: &str, facts: &Facts<'_>) -> Option<(String, Option<String>)> {
    let (rules, mut room) = (rules(&format!("[[persona]]\n{lines}\n")), String::new());
    let decision = rules.by_file(&Values::of(facts, &mut room))?.into_decision();
    Some((decision.persona.name, decision.persona.genome_id))
}

fn matches(condition: &str, facts: &Facts<'_>) -> bool {
    decided(&format!("name = 'x'\n{condition}"), facts).is_some()
}

#[test]
fn each_key_is_a_condition() {
    let facts = python();
    for (condition, expected) in [
        ("exe = '/usr/bin/python3.*'", true),
        ("exe = 'python3.*'", false),
        (r"argv = '--lora \S+'", true),
        ("argv = '^serve'", false),
        ("comm = 'python3'", true),
        ("comm = 'python'", false),
        ("cgroup = '/system.*'", true),
        ("cgroup = '/system.slice'", false),
        (r"unit = 'ollama\.service'", true),
        ("unit = 'ollama'", false),
        ("container = '.*'", false),
        ("uid = 1000", true),
        ("uid = [0, 0x3e8]", true),
        ("uid = [0, 1]", false),
        ("cwd = '/srv/ai/.*'", true),
        ("cwd = '/srv'", false),
        ("uid = 1000\ncomm = 'no'", false),
        ("uid = 1\ncomm = 'python3'", false),
    ] {
        assert_eq!(matches(condition, &facts), expected, "{condition}");
        let unknown = Facts::default();
        assert!(!matches(condition, &unknown), "{condition}");
    }
    let id = "ab".repeat(32);
    let cgroup_path = Some(format!("/docker/{id}").into_bytes().into());
    let facts = Facts { cgroup_path, ..Facts::default() };
    assert!(matches("container = 'abab.*'", &facts));
    assert!(!matches("container = 'abab'", &facts));
}

#[test]
fn names_are_made_of_groups() {
    let lines = r"
        name = '${who}-$lora${no}'
        genome_id = '${lora}'
        comm = '(?P<who>py).*'
        argv = '--lora (?<lora>\S+)(?<no>!)?'";
    assert_eq!(decided(lines, &python()), Some(("py-a3f9".to_owned(), Some("a3f9".to_owned()))));
    let empty = r"
        name = 'x'
        genome_id = ' ${no}'
        argv = 'lora(?<no>!)?'";
    assert_eq!(decided(empty, &python()), Some(("x".to_owned(), None)));
    let nameless = r"
        name = ' ${no}'
        argv = 'lora(?<no>!)?'";
    assert_eq!(decided(nameless, &python()), None);
    let not_text = Facts { comm: Some(b"a\xff".as_slice().into()), ..Facts::default() };
    let lines = "name = '${all}'\ncomm = '(?<all>.*)'";
    assert_eq!(decided(lines, &not_text), Some(("a\u{fffd}".to_owned(), None)));
}

#[test]
fn the_first_rule_that_matches_decides() {
    let first = "\n[[persona]]\nname = 'no'\nuid = 1\n\n[[persona]]\nname = 'a'\nuid = 1000\n";
    let second = "persona = [{ name = 'b', uid = 1000 }, { name = 'c', uid = 7 }]";
    let rules = Rules::new(vec![
        RuleFile::parse("1.toml", first).unwrap(),
        RuleFile::parse("2.toml", second).unwrap(),
    ]);
    let of = |uid| {
        let facts = Facts { uid: Some(uid), ..Facts::default() };
        let decision = rules.by_file(&Values::of(&facts, &mut String::new()))?.into_decision();
        Some((decision.persona.name, decision.source.to_string()))
    };
    assert_eq!(of(1000), Some(("a".to_owned(), "1.toml:6".to_owned())));
    assert_eq!(of(7), Some(("c".to_owned(), "2.toml:1".to_owned())));
    assert_eq!(of(8), None);
}

#[test]
fn rules_tell_about_themselves() {
    let text =
        "[[persona]]\nname='a'\nexe = '/a\\\\'\nuid = [1, 2]\n\n[[persona]]\nname='b'\nuid=3";
    let file = RuleFile::parse("p.toml", text).unwrap();
    let told: Vec<_> = file.rules().map(|rule| (rule.line(), rule.text())).collect();
    let expected = [(1, r"exe = '/a\\', uid = [1, 2]".to_owned()), (6, "uid = 3".to_owned())];
    assert_eq!(told, expected);
    let uid_3 = Facts { uid: Some(3), ..Facts::default() };
    let names: Vec<_> =
        file.rules().map(|rule| rule.decide(&uid_3).map(|it| it.persona.name)).collect();
    assert_eq!(names, [None, Some("b".to_owned())]);
}

#[test]
fn only_rules_with_cwd_need_it() {
    assert!(!rules("").need_cwd());
    assert!(!rules("[[persona]]\nname='a'\nuid=1").need_cwd());
    assert!(rules("[[persona]]\nname='a'\nuid=1\ncwd='/'").need_cwd());
}

#[test]
fn the_environment_says_whose() {
    let said = |name: &str, id: &str| {
        let some = |text: &str| (!text.is_empty()).then(|| text.as_bytes().to_vec().into());
        let facts = Facts { claimed_name: some(name), claimed_id: some(id), ..Facts::default() };
        let Decision { persona, source } = rules("").by_environment(&facts)?.into_decision();
        assert_eq!(source, PersonaSource::Environment);
        Some((persona.name, persona.genome_id))
    };
    let id = Some("a3".to_owned());
    assert_eq!(said("Code Expert", "a3"), Some(("Code Expert".to_owned(), id.clone())));
    assert_eq!(said("Code Expert", ""), Some(("Code Expert".to_owned(), None)));
    assert_eq!(said("", "a3"), Some(("a3".to_owned(), id.clone())));
    assert_eq!(said(" ", "a3"), Some(("a3".to_owned(), id)));
    assert_eq!(said(" ", " "), None);
    assert_eq!(said("", ""), None);
    assert_eq!(said(&"x".repeat(500), ""), Some(("x".repeat(128), None)));
}

#[test]
fn only_the_trusted_are_believed() {
    let believed = |texts: &[&str]| {
        let file = |text: &&str| RuleFile::parse("p.toml", text).unwrap();
        let facts = Facts { claimed_name: Some(b"x".as_slice().into()), ..python() };
        Rules::new(texts.iter().map(file).collect()).by_environment(&facts).is_some()
    };
    assert!(believed(&[]));
    assert!(believed(&["", ""]));
    assert!(believed(&["trust_env = ['all']"]));
    assert!(!believed(&["trust_env = []"]));
    assert!(!believed(&["trust_env = ['uid:1', 'cgroup:/ai']"]));
    assert!(believed(&["trust_env = ['uid:1', 'cgroup:/system.slice']"]));
    assert!(!believed(&["", "trust_env = []", "trust_env = ['all']"]));
}
