#![allow(clippy::unwrap_used)]

use super::*;
use crate::persona::RuleFile;

const RULES: &str = r#"
    [[persona]]
    name = "Tool"
    comm = "tool"
"#;

fn registry() -> Registry {
    registry_with(RULES)
}

fn registry_with(text: &str) -> Registry {
    Registry::new(rules(text))
}

fn rules(text: &str) -> Rules {
    Rules::new(vec![RuleFile::parse("rules.toml", text).unwrap()])
}

fn key(tgid: u32, start_time: u64) -> ProcessKey {
    ProcessKey { tgid, start_time }
}

fn program(comm: &str) -> Facts<'_> {
    Facts { comm: Some(comm.as_bytes().into()), ..Facts::default() }
}

fn claiming<'f>(comm: &'f str, name: &'f str) -> Facts<'f> {
    Facts { claimed_name: Some(name.as_bytes().into()), ..program(comm) }
}

fn name(registry: &Registry, key: ProcessKey) -> Option<&str> {
    registry.grant(key, u64::MAX).map(|grant| grant.decision.persona.name.as_str())
}

#[test]
fn children_are_their_parents() {
    let mut registry = registry();
    registry.forked(key(10, 1), None);
    registry.executed(key(10, 1), None, claiming("sh", "Code"), 2);
    registry.forked(key(11, 3), Some(10));
    registry.executed(key(11, 3), Some(10), program("cc"), 4);
    registry.forked(key(12, 5), Some(11));
    registry.executed(key(12, 5), Some(11), program("ld"), 6);
    assert_eq!(name(&registry, key(11, 3)), Some("Code"));
    assert_eq!(name(&registry, key(12, 5)), Some("Code"));
    assert_eq!(registry.grant(key(12, 5), 9).unwrap().from, key(10, 1));
}

#[test]
fn a_rule_of_their_own_says_otherwise() {
    let mut registry = registry();
    registry.executed(key(10, 1), None, claiming("sh", "Code"), 2);
    registry.forked(key(11, 3), Some(10));
    registry.executed(key(11, 3), Some(10), program("tool"), 4);
    assert_eq!(name(&registry, key(11, 3)), Some("Tool"));
    assert_eq!(name(&registry, key(10, 1)), Some("Code"));
}

#[test]
fn what_a_program_is_recognised_by_does_not_outdo_what_was_stated() {
    let mut registry = registry();
    let ollama = Facts {
        exe: Some(b"/usr/bin/ollama".as_slice().into()),
        argv: Some(b"ollama\0serve\0".as_slice().into()),
        ..program("ollama")
    };
    registry.executed(key(10, 1), None, claiming("sh", "Code"), 2);
    registry.forked(key(11, 3), Some(10));
    registry.executed(key(11, 3), Some(10), ollama.clone(), 4);
    assert_eq!(name(&registry, key(11, 3)), Some("Code"));
    let in_unit =
        Facts { cgroup_path: Some(b"/system.slice/x.service".as_slice().into()), ..program("sh") };
    registry.executed(key(20, 1), None, in_unit, 2);
    assert_eq!(name(&registry, key(20, 1)), Some("x"));
    registry.forked(key(21, 3), Some(20));
    registry.executed(key(21, 3), Some(20), ollama, 4);
    assert_eq!(name(&registry, key(21, 3)), Some("ollama"));
}

#[test]
fn a_unit_is_left_with_its_cgroup() {
    let mut registry = registry();
    let in_cgroup =
        |path: &str| Facts { cgroup_path: Some(path.as_bytes().to_vec().into()), ..program("sh") };
    registry.executed(key(10, 1), None, in_cgroup("/system.slice/ssh.service"), 2);
    registry.forked(key(11, 3), Some(10));
    assert_eq!(name(&registry, key(11, 3)), Some("ssh"));
    registry.executed(key(11, 3), Some(10), in_cgroup("/system.slice/ssh.service"), 4);
    assert_eq!(registry.grant(key(11, 3), 5).unwrap().from, key(10, 1));
    registry.executed(key(11, 3), Some(10), in_cgroup("/user.slice/session-2.scope"), 6);
    assert_eq!(name(&registry, key(11, 3)), None);
}

#[test]
fn a_pid_used_again_is_somebody_else() {
    let mut registry = registry();
    registry.executed(key(10, 1), None, claiming("sh", "Code"), 2);
    registry.exited(key(10, 1));
    assert_eq!(name(&registry, key(10, 1)), Some("Code"));
    registry.forked(key(10, 7), Some(1));
    assert_eq!(name(&registry, key(10, 7)), None);
    assert_eq!(name(&registry, key(10, 1)), Some("Code"), "its last counts are still to come");
    registry.flushed();
    registry.flushed();
    assert_eq!(name(&registry, key(10, 1)), None);
    assert!(registry.knows(key(10, 7)));
}

#[test]
fn what_comes_late_of_nobodys_process_is_not_its_parents() {
    let mut registry = registry();
    registry.forked(key(10, 1), None);
    registry.forked(key(11, 2), Some(10));
    registry.executed(key(10, 1), None, claiming("sh", "Code"), 3);
    registry.exited(key(11, 2));
    assert!(registry.remembers(key(11, 2)));
    assert_eq!(name(&registry, key(11, 2)), None);
}

#[test]
fn a_child_of_a_pid_used_again_is_not_the_dead_ones() {
    let mut registry = registry();
    registry.executed(key(10, 1), None, claiming("sh", "Code"), 2);
    // The end of 10 and the fork of its successor were lost.
    registry.executed(key(10, 7), Some(1), program("sh"), 8);
    registry.forked(key(11, 9), Some(10));
    assert_eq!(name(&registry, key(11, 9)), None);
}

#[test]
fn an_event_before_the_exec_is_what_the_process_was_then() {
    let mut registry = registry();
    registry.executed(key(10, 1), None, claiming("sh", "Code"), 2);
    registry.executed(key(10, 1), None, claiming("env", "Other"), 5);
    let name_at = |ktime_ns| {
        let grant = registry.grant(key(10, 1), ktime_ns).unwrap();
        grant.decision.persona.name.as_str()
    };
    assert_eq!(name_at(4), "Code");
    assert_eq!(name_at(5), "Other");
}

#[test]
fn those_that_were_there_inherit_whatever_order_they_are_found_in() {
    let mut registry = registry();
    registry.found([
        (key(30, 50), Some(20), program("ld")),
        (key(20, 50), Some(10), program("cc")),
        (key(10, 40), Some(1), claiming("sh", "Code")),
        (key(40, 60), Some(1), program("sh")),
    ]);
    assert_eq!(name(&registry, key(30, 50)), Some("Code"));
    assert_eq!(name(&registry, key(20, 50)), Some("Code"));
    assert_eq!(name(&registry, key(40, 60)), None);
    assert_eq!(registry.grant(key(10, 40), 99).unwrap().since, 40);
}

#[test]
fn new_rules_hold_for_those_who_run() {
    let mut registry = registry();
    registry.executed(key(10, 1), None, program("tool"), 2);
    registry.forked(key(11, 3), Some(10));
    registry.executed(key(11, 3), Some(10), program("cc"), 4);
    assert_eq!(name(&registry, key(11, 3)), Some("Tool"));
    registry.replace_rules(rules("[[persona]]\nname = \"New\"\ncomm = \"tool\"\n"), 9);
    assert_eq!(name(&registry, key(10, 1)), Some("New"));
    assert_eq!(name(&registry, key(11, 3)), Some("New"));
    assert_eq!(registry.grant(key(11, 3), 9).unwrap().since, 9);
    registry.replace_rules(rules("[[persona]]\nname = \"Else\"\ncomm = \"else\"\n"), 10);
    assert_eq!(name(&registry, key(11, 3)), None);
}
