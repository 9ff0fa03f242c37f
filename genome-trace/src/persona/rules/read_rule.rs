//! One `[[persona]]` of a rule file.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::condition::{Condition, Field};
use super::error::Problems;
use super::file::{Origin, a_type, in_order, unknown_key};
use super::rule::Rule;
use super::template::Template;
use crate::model::PersonaSource;

/// All keys that a rule of a file may have.
pub(super) const KEYS: [&str; 10] =
    ["name", "genome_id", "exe", "argv", "comm", "cgroup", "unit", "container", "uid", "cwd"];

/// What has been read of a rule.
struct Draft<'p, 't> {
    problems: &'p mut Problems<'t>,
    /// Each with the place of its value.
    name: Option<(usize, Template)>,
    genome_id: Option<(usize, Template)>,
    label: Option<String>,
    conditions: Vec<Condition>,
    has_name: bool,
    /// A condition, or what may have been meant as one, could not be read:
    /// what would be missing for that reason is no error of its own.
    lacks_conditions: bool,
}

/// Reads one rule; `None` where it is broken, of which `problems` then knows.
pub(super) fn read_rule(
    table: &DeTable<'_>,
    at: usize,
    origin: &Origin,
    problems: &mut Problems<'_>,
) -> Option<Rule> {
    let line = problems.line(at);
    let mut draft = Draft {
        problems,
        name: None,
        genome_id: None,
        label: None,
        conditions: Vec::new(),
        has_name: false,
        lacks_conditions: false,
    };
    for (key, value) in in_order(table) {
        match key.get_ref().as_ref() {
            "name" => {
                draft.has_name = true;
                draft.name = draft.template("name", value);
            }
            "genome_id" => draft.genome_id = draft.template("genome_id", value),
            "uid" => draft.uid(value),
            "label" if matches!(origin, Origin::BuiltIn) => {
                draft.label = draft.text("label", value).map(str::to_owned);
            }
            key_text => match Field::named(key_text) {
                Some(field) => draft.condition(key_text, field, value),
                None => {
                    draft.lacks_conditions = true;
                    unknown_key(key, "a persona", &KEYS, draft.problems);
                }
            },
        }
    }
    draft.finish(at, line, origin)
}

impl Draft<'_, '_> {
    fn text<'v>(&mut self, key: &str, value: &'v Spanned<DeValue<'_>>) -> Option<&'v str> {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => {
                self.problems.add(at, format!("`{key}` is empty: give it a text, or leave it out"));
                None
            }
            DeValue::String(text) => Some(text),
            other => {
                let found = a_type(other);
                self.problems.add(at, format!("`{key}` must be a string, not {found}"));
                None
            }
        }
    }

    fn template(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<(usize, Template)> {
        let at = value.span().start;
        match Template::parse(self.text(key, value)?) {
            Ok(template) => Some((at, template)),
            Err(message) => {
                self.problems.add(at, message);
                None
            }
        }
    }

    fn condition(&mut self, key: &str, field: Field, value: &Spanned<DeValue<'_>>) {
        let Some(pattern) = self.text(key, value) else {
            self.lacks_conditions = true;
            return;
        };
        let at = value.span().start;
        match Condition::on_text(field, pattern) {
            Ok(condition) => self.add(condition, at),
            Err(reason) => {
                self.lacks_conditions = true;
                self.problems.add(at, format!("`{key}` is no regular expression: {reason}"));
            }
        }
    }

    fn add(&mut self, condition: Condition, at: usize) {
        let taken = |group: &&str| {
            self.conditions.iter().any(|other| other.groups().any(|name| name == *group))
        };
        if let Some(group) = condition.groups().find(taken) {
            let message = format!(
                "the group `{group}` is in another condition of this rule too: give each its own name"
            );
            self.problems.add(at, message);
        }
        self.conditions.push(condition);
    }

    fn uid(&mut self, value: &Spanned<DeValue<'_>>) {
        let items = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        if items.is_empty() {
            let message = "`uid` is an empty list, which no process matches: name a user id";
            self.problems.add(value.span().start, message);
        }
        let mut uids = Vec::new();
        for item in &items {
            let found = match item.get_ref() {
                DeValue::Integer(number) => {
                    match u32::from_str_radix(number.as_str(), number.radix()) {
                        Ok(uid) => {
                            uids.push(uid);
                            continue;
                        }
                        Err(_) => number.to_string(),
                    }
                }
                other => a_type(other).to_owned(),
            };
            self.problems.add(
                item.span().start,
                format!(
                    "`uid` must be a whole number from 0 to {}, or a list of such, not {found}",
                    u32::MAX
                ),
            );
        }
        if uids.len() == items.len() && !uids.is_empty() {
            self.conditions.push(Condition::Uid(uids.into()));
        } else {
            self.lacks_conditions = true;
        }
    }

    fn finish(self, at: usize, line: usize, origin: &Origin) -> Option<Rule> {
        let Self { problems, name, genome_id, label, conditions, has_name, lacks_conditions } =
            self;
        if !has_name {
            problems.add(at, "this rule has no `name`: add one, as in name = 'CodeExpert'");
        }
        if conditions.is_empty() && !lacks_conditions {
            problems.add(
                at,
                "this rule matches everything: add a condition, as in exe = '/usr/bin/python3.*'",
            );
        }
        let known =
            |group: &str| conditions.iter().any(|other| other.groups().any(|name| name == group));
        for (at, template) in name.iter().chain(&genome_id) {
            if lacks_conditions {
                break;
            }
            if let Some(group) = template.groups().find(|group| !known(group)) {
                problems.add(
                    *at,
                    format!(
                        "no condition of this rule has a group `{group}`: add one, as in argv = \
                         '--name (?<{group}>\\S+)'"
                    ),
                );
            }
        }
        let source = match origin {
            Origin::File(file) => PersonaSource::Rule { file: file.clone(), line },
            Origin::BuiltIn => PersonaSource::BuiltIn { label: label?.into() },
        };
        let genome_id = genome_id.map(|(_, template)| template);
        Some(Rule { line, name: name?.1, genome_id, conditions, source })
    }
}
