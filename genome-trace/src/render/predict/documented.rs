//! Holds docs/predict.md against what is really written.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::{
    csv,
    sample::{everything, nothing},
    tests::{json, metrics},
};
use crate::render::documented::{
    fields, rows, tells_every_field, tells_every_metric, tells_what_can_be_null,
};

const PAGE: &str = include_str!("../../../../docs/predict.md");

/// What is missing is counted by name; those names are no fields.
fn written_fields() -> BTreeMap<String, bool> {
    fields([everything(), nothing()].map(|report| serde_json::from_str(&json(&report)).unwrap()))
        .into_iter()
        .filter(|(name, _)| !name.starts_with("gaps.missing."))
        .collect()
}

#[test]
fn every_field_is_told_and_no_other_is() {
    tells_every_field(PAGE, written_fields());
    tells_what_can_be_null(PAGE, written_fields());
}

#[test]
fn every_column_is_told_and_no_other_is() {
    let names: BTreeSet<&str> = csv::COLUMNS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, rows(PAGE, "CSV").into_keys().collect());
}

#[test]
fn every_metric_is_told_and_no_other_is() {
    tells_every_metric(PAGE, &metrics(&everything()));
}
