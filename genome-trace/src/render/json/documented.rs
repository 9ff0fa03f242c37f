//! Holds docs/events.md against what is really written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::write_event;
use crate::{
    model::{Ending, Event, EventKind, Exit, Payload},
    render::sample,
};

const PAGE: &str = include_str!("../../../../docs/events.md");

/// What the page says of a field: that it is never null, or when it is.
type Fields<'a> = BTreeMap<&'a str, &'a str>;

/// The tables of the page's first part by their section.
fn documented() -> BTreeMap<&'static str, Fields<'static>> {
    let (page, _) = PAGE.split_once("\n# ").unwrap();
    let sections = page.split("\n## ").skip(1);
    sections
        .map(|section| {
            let (title, text) = section.split_once('\n').unwrap();
            let rows = text.lines().filter(|line| line.starts_with("| `"));
            let fields = rows.map(|row| {
                let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
                assert_eq!(cells.len(), 4, "{title}: {row}");
                (cells[0].trim_matches('`'), cells[3])
            });
            (title.trim_matches('`'), fields.collect())
        })
        .collect()
}

fn written(event: &Event<'_>) -> Value {
    let mut out = Vec::new();
    write_event(&mut out, event, "box");
    serde_json::from_slice(&out).unwrap()
}

/// The fields that are written, by section, and whether they can be null.
fn written_fields() -> BTreeMap<String, BTreeMap<String, bool>> {
    let exited = Payload::Exit(Exit { ending: Ending::Exited { code: 0 }, ..sample::EXIT });
    let mut sections: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
    let mut see = |section: &str, object: &Value| {
        let fields = sections.entry(section.to_owned()).or_default();
        for (name, value) in object.as_object().unwrap() {
            *fields.entry(name.clone()).or_default() |= value.is_null();
        }
    };
    for event in sample::known().into_iter().chain(sample::unknown()).chain([sample::event(exited)])
    {
        let kind = event.kind().name();
        let mut value = written(&event);
        let payload = value.as_object_mut().unwrap().remove(kind).unwrap();
        see(kind, &payload);
        see("Header", &value);
    }
    sections
}

#[test]
fn every_kind_has_its_section_and_no_other_has() {
    let titles: BTreeSet<&str> = documented().into_keys().collect();
    let kinds = EventKind::ALL.map(EventKind::name);
    assert_eq!(titles, kinds.into_iter().chain(["Header"]).collect());
}

#[test]
fn every_field_is_in_its_section_and_no_other_is() {
    let written = written_fields();
    for (section, fields) in documented() {
        let told: BTreeSet<&str> = fields.into_keys().collect();
        assert_eq!(told, written[section].keys().map(String::as_str).collect(), "{section}");
    }
}

#[test]
fn what_can_be_null_is_told_when() {
    let written = written_fields();
    for (section, fields) in documented() {
        for (field, told) in fields {
            assert!(!told.is_empty(), "{section}, {field}");
            assert_eq!(!told.starts_with("never"), written[section][field], "{section}, {field}");
        }
    }
}
