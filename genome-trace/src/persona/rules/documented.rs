//! Holds docs/personas.md against the rules that are really read.

use super::{RuleFile, Rules, Values, built_in, read_rule::KEYS};
use crate::model::PersonaSource;
use crate::persona::Facts;

const PAGE: &str = include_str!("../../../../docs/personas.md");

/// The first cells of all table rows, without backticks.
fn first_cells() -> Vec<&'static str> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).collect()
}

#[test]
fn the_example_is_a_rule_file() {
    let (_, example) = PAGE.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let file = RuleFile::parse("example.toml", example).unwrap();
    let rules = Rules::new(vec![file]);
    assert!(rules.need_cwd());
    let facts = Facts {
        exe: Some(b"/usr/bin/python3.12".as_slice().into()),
        argv: Some(b"python3\0agent.py\0--lora\0a3f9\0".as_slice().into()),
        cgroup_path: Some(b"/ai/code/1".as_slice().into()),
        uid: Some(1001),
        ..Facts::default()
    };
    let name = |facts: &Facts<'_>| {
        let mut room = String::new();
        rules.by_file(&Values::of(facts, &mut room)).map(|verdict| verdict.name().to_owned())
    };
    assert_eq!(name(&facts).as_deref(), Some("CodeExpert-a3f9"));
    assert_eq!(name(&Facts { uid: Some(0), ..facts }).as_deref(), Some("code"));
}

#[test]
fn each_key_has_a_row() {
    let cells = first_cells();
    for key in KEYS.iter().chain(&["trust_env"]) {
        assert!(cells.contains(key), "docs/personas.md has no row `{key}`");
    }
}

#[test]
fn each_label_has_a_row() {
    let cells = first_cells();
    for rule in built_in::rules() {
        let PersonaSource::BuiltIn { label } = &rule.source else { panic!("{rule:?}") };
        assert!(cells.contains(&label.as_ref()), "docs/personas.md has no row `{label}`");
    }
}
