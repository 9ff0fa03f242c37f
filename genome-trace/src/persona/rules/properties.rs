//! Nothing that a file or a process may hold makes the rules panic.

use proptest::prelude::*;

use super::*;

const VALID: &str = r#"
trust_env = ["uid:1000", "cgroup:/ai"] # é

[[persona]]
name = "CodeExpert-${lora}"
genome_id = "${lora}$$"
exe = '/usr/bin/python3.*'
argv = '--lora (?<lora>\S+)'
comm = 'python3'
cgroup = '/ai/.*'
unit = 'ollama\.service'
container = '3f2a.*'
uid = [1000, 0x10]
cwd = '''/srv/ai/.*'''
"#;

/// What is put into a valid file: characters that mean something in TOML, in
/// regular expressions or in templates.
fn scrap() -> impl Strategy<Value = String> {
    prop_oneof![
        "[\\[\\]{}()'\"=.,#$?<>|*+\\\\\n -]{0,4}",
        "(name|uid|exe|argv|persona|\\[\\[persona\\]\\]|trust_env)",
        "\\PC{0,6}",
        any::<char>().prop_map(String::from),
    ]
}

fn bytes() -> impl Strategy<Value = Option<Cow<'static, [u8]>>> {
    let shaped =
        "(/(docker|lxc|user@1\\.service|a\\.service|docker-[0-9a-f]{64}\\.scope|:|-)){0,5}/?"
            .prop_map(String::into_bytes);
    prop::option::of(
        prop_oneof![prop::collection::vec(any::<u8>(), 0..100), shaped].prop_map(Cow::Owned),
    )
}

fn facts() -> impl Strategy<Value = Facts<'static>> {
    (bytes(), bytes(), bytes(), bytes(), bytes(), bytes(), bytes(), any::<Option<u32>>()).prop_map(
        |(exe, comm, argv, claimed_name, claimed_id, cgroup_path, cwd, uid)| Facts {
            exe,
            comm,
            argv,
            claimed_name,
            claimed_id,
            cgroup_path,
            uid,
            cwd,
        },
    )
}

/// Errors lie within the file and are one line each.
fn check(text: &str) {
    let errors = RuleFile::parse("p.toml", text).err().unwrap_or_default();
    let lines = text.split('\n').count();
    let mut last = 0;
    for error in &errors {
        assert!((last.max(1)..=lines).contains(&error.line), "{error}");
        assert!(error.column >= 1 && !error.to_string().contains('\n'), "{error}");
        last = error.line;
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn scraps_are_read(scraps in prop::collection::vec(scrap(), 0..20)) {
        check(&scraps.concat());
    }

    #[test]
    fn mutated_files_are_read(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..8_usize, scrap()), 1..4)
    ) {
        let mut text: Vec<char> = VALID.chars().collect();
        for (at, left_out, put_in) in cuts {
            let at = at.index(text.len() + 1);
            let end = (at + left_out).min(text.len());
            text.splice(at..end, put_in.chars());
        }
        check(&text.into_iter().collect::<String>());
    }

    #[test]
    fn any_facts_are_decided_on(facts in facts()) {
        let rules = Rules::new(vec![RuleFile::parse("p.toml", VALID).unwrap()]);
        let mut room = String::new();
        let values = Values::of(&facts, &mut room);
        for decision in [
            rules.by_environment(&facts).map(Verdict::into_decision),
            rules.by_file(&values).map(Verdict::into_decision),
            rules.by_program(&values).map(Verdict::into_decision),
            facts.cgroup_path.as_deref().and_then(Rules::by_cgroup),
        ].into_iter().flatten() {
            assert!(!decision.persona.name.trim().is_empty());
        }
    }
}

#[test]
fn deep_nesting_is_an_error() {
    for text in [
        format!("x = {}", "[".repeat(100_000)),
        format!("x = {}", "{a=".repeat(100_000)),
        format!("[[persona]]\nname = 'a'\nexe = '{}'", "(".repeat(100_000)),
    ] {
        assert!(RuleFile::parse("p.toml", &text).is_err());
    }
    check(&format!("{}a = 1", "a.".repeat(100_000)));
}
