//! What the tests that hold a page against a report's output have in common.
#![allow(clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The first and the last cell of the rows of the tables in a page's section.
pub(super) fn rows<'p>(page: &'p str, section: &str) -> BTreeMap<&'p str, &'p str> {
    let heading = format!("\n## {section}\n");
    let (_, text) = page.split_once(&heading).unwrap_or_else(|| panic!("no section {section}"));
    let (text, _) = text.split_once("\n## ").unwrap_or((text, ""));
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        (cells[0].trim_matches('`'), cells[cells.len() - 1])
    })
    .collect()
}

/// Every field of these objects, `programs.runs` for one of an entry, and
/// whether it is null in any.
pub(super) fn fields(objects: impl IntoIterator<Item = Value>) -> BTreeMap<String, bool> {
    let mut fields = BTreeMap::new();
    for object in objects {
        see(&mut fields, "", &object);
    }
    fields
}

fn see(fields: &mut BTreeMap<String, bool>, prefix: &str, value: &Value) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let path = format!("{prefix}{name}");
                *fields.entry(path.clone()).or_default() |= value.is_null();
                see(fields, &format!("{path}."), value);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| see(fields, prefix, entry)),
        _ => {}
    }
}

/// The section on JSON tells these fields and no other.
pub(super) fn tells_every_field(page: &str, written: BTreeMap<String, bool>) {
    let told: BTreeSet<String> = rows(page, "JSON").into_keys().map(str::to_owned).collect();
    assert_eq!(told, written.into_keys().collect());
}

/// It tells of each whether, and when, it is null.
pub(super) fn tells_what_can_be_null(page: &str, written: BTreeMap<String, bool>) {
    let told = rows(page, "JSON");
    for (field, is_nullable) in written {
        let null = told[field.as_str()];
        assert!(!null.is_empty(), "{field}");
        assert_eq!(!null.starts_with("never"), is_nullable, "{field}: {null}");
    }
}

/// The section on metrics tells those of this text and no other.
pub(super) fn tells_every_metric(page: &str, text: &str) {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let names: BTreeSet<&str> = samples.filter_map(|line| line.split(['{', ' ']).next()).collect();
    assert_eq!(names, rows(page, "Metrics").into_keys().collect());
}
