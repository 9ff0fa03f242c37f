//! Holds docs/crashes.md against what is really written.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use super::{
    csv,
    sample::{bare, hollow, none, one, several_with_gaps, whole},
    tests::{json, metrics},
};
use crate::{
    model::CrashKind,
    render::documented::{
        fields, rows, tells_every_field, tells_every_metric, tells_what_can_be_null,
    },
};

const PAGE: &str = include_str!("../../../../docs/crashes.md");

/// Kinds and what is missing are counted by name; those names are no fields.
fn written_fields() -> BTreeMap<String, bool> {
    let reports = [several_with_gaps(), none(), one(whole()), one(bare()), one(hollow())];
    fields(reports.map(|report| serde_json::from_str(&json(&report)).unwrap()))
        .into_iter()
        .filter(|(name, _)| {
            !name.starts_with("personas.kinds.") && !name.starts_with("gaps.missing.")
        })
        .collect()
}

#[test]
fn every_field_is_told_and_no_other_is() {
    tells_every_field(PAGE, written_fields());
}

#[test]
fn what_can_be_null_is_told_when() {
    tells_what_can_be_null(PAGE, written_fields());
}

#[test]
fn every_column_is_told_and_no_other_is() {
    let names: BTreeSet<&str> = csv::COLUMNS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, rows(PAGE, "CSV").into_keys().collect());
}

#[test]
fn every_metric_is_told_and_no_other_is() {
    let text = metrics(&several_with_gaps());
    tells_every_metric(PAGE, &text);
}

#[test]
fn every_kind_is_told_and_no_other_is() {
    let names: BTreeSet<&str> = CrashKind::ALL.map(CrashKind::name).into();
    assert_eq!(names, rows(PAGE, "What counts as a crash").into_keys().collect());
}
