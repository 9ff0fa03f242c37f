//! Holds docs/stats.md against what is really written. The GPUs' part is told
//! in docs/gpu.md, and that of personas' metrics in docs/prometheus.md.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::{
    csv,
    sample::{bare, known, of_the_unknown, unknown},
    tests::{json, metrics},
};
use crate::render::documented::{fields, rows};

const PAGE: &str = include_str!("../../../../docs/stats.md");
const OTHER_PAGES: [&str; 2] =
    [include_str!("../../../../docs/gpu.md"), include_str!("../../../../docs/prometheus.md")];

/// What is missing is counted by name; those names are no fields.
fn written_fields() -> BTreeMap<String, bool> {
    let gpus = rows(OTHER_PAGES.first().unwrap(), "JSON");
    fields(
        [known(), bare(), unknown(), of_the_unknown()]
            .map(|overview| serde_json::from_str(&json(&overview)).unwrap()),
    )
    .into_iter()
    .filter(|(name, _)| !name.starts_with("recent.gaps.missing."))
    .filter(|(name, _)| !gpus.contains_key(name.as_str()))
    .collect()
}

#[test]
fn every_field_is_told_with_when_it_is_null_and_no_other_is() {
    let told = rows(PAGE, "JSON of `--stats`");
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
    assert_eq!(names, rows(PAGE, "CSV of `--stats`").into_keys().collect());
}

#[test]
fn every_metric_is_told_on_one_of_the_pages() {
    let text = metrics(&known());
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let mut written: BTreeSet<&str> =
        samples.filter_map(|line| line.split(['{', ' ']).next()).collect();
    for page in OTHER_PAGES {
        for told in rows(page, "Metrics").keys() {
            written.remove(told);
        }
    }
    assert_eq!(written, rows(PAGE, "Metrics").into_keys().collect());
}
