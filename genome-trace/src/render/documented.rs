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

/// Every field of these reports' JSON, and whether it is null in any; but
/// for those below `names`, which are counted by name.
pub(super) fn written(
    reports: impl IntoIterator<Item = String>,
    names: &[&str],
) -> BTreeMap<String, bool> {
    let objects = reports.into_iter().map(|text| {
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("no JSON, {error}: {text}"))
    });
    let mut fields = fields(objects);
    fields.retain(|field, _| !names.iter().any(|name| field.starts_with(name)));
    fields
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

/// The section on JSON tells these fields and no other, and of each whether,
/// and when, it is null.
pub(super) fn tells_every_field(page: &str, section: &str, written: &BTreeMap<String, bool>) {
    let told = rows(page, section);
    let names: BTreeSet<&str> = written.keys().map(String::as_str).collect();
    assert_eq!(told.keys().copied().collect::<BTreeSet<_>>(), names);
    for (field, is_nullable) in written {
        let null = told[field.as_str()];
        assert!(!null.is_empty(), "{field}");
        assert_eq!(!null.starts_with("never"), *is_nullable, "{field}: {null}");
    }
}

/// The section on CSV tells these columns and no other.
pub(super) fn tells_every_column<'n>(
    page: &str,
    section: &str,
    names: impl IntoIterator<Item = &'n str>,
) {
    let names: BTreeSet<&str> = names.into_iter().collect();
    assert_eq!(names, rows(page, section).into_keys().collect());
}

/// The names of the metrics that have a sample in this text.
pub(super) fn metric_names(text: &str) -> BTreeSet<&str> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| line.split(['{', ' ']).next()).collect()
}

/// The section on metrics tells those of this text and no other.
pub(super) fn tells_every_metric(page: &str, text: &str) {
    assert_eq!(metric_names(text), rows(page, "Metrics").into_keys().collect());
}
