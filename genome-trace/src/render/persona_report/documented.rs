//! Holds docs/stats.md against what is really written.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::{
    csv,
    sample::{every_reason, gone, known, unknown},
    tests::{json, metrics},
};
use crate::render::documented::{fields, rows};

const PAGE: &str = include_str!("../../../../docs/stats.md");
const PROMETHEUS: &str = include_str!("../../../../docs/prometheus.md");

/// What is missing is counted by name; those names are no fields.
fn written_fields() -> BTreeMap<String, bool> {
    fields(
        [known(), unknown(), gone(), every_reason()]
            .map(|report| serde_json::from_str(&json(&report)).unwrap()),
    )
    .into_iter()
    .filter(|(name, _)| !name.starts_with("hour.gaps.missing."))
    .collect()
}

#[test]
fn every_field_is_told_with_when_it_is_null_and_no_other_is() {
    let told = rows(PAGE, "JSON of `--genome-id`");
    let written = written_fields();
    let names: BTreeSet<&str> = written.keys().map(String::as_str).collect();
    assert_eq!(told.keys().copied().collect::<BTreeSet<_>>(), names);
    for (field, is_nullable) in &written {
        let null = told.get(field.as_str()).unwrap();
        assert_eq!(!null.starts_with("never"), *is_nullable, "{field}: {null}");
    }
}

#[test]
fn every_column_is_told_and_no_other_is() {
    let names: BTreeSet<&str> = csv::names().collect();
    assert_eq!(names, rows(PAGE, "CSV of `--genome-id`").into_keys().collect());
}

#[test]
fn every_metric_is_told_on_one_of_the_pages() {
    let text = metrics(&known());
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let pages = [rows(PAGE, "Metrics"), rows(PROMETHEUS, "Metrics")];
    for name in samples.filter_map(|line| line.split(['{', ' ']).next()) {
        assert!(pages.iter().any(|page| page.contains_key(name)), "{name}");
    }
}
