//! Holds docs/crashes.md against what is really written.

use std::collections::BTreeSet;

use super::{
    csv,
    sample::{bare, hollow, none, one, several_with_gaps, whole},
    tests::{json, metrics},
};
use crate::{
    model::CrashKind,
    render::documented::{
        rows, tells_every_column, tells_every_field, tells_every_metric, written,
    },
};

const PAGE: &str = include_str!("../../../../docs/crashes.md");

#[test]
fn every_field_is_told_and_no_other_is() {
    let reports = [several_with_gaps(), none(), one(whole()), one(bare()), one(hollow())];
    let written =
        written(reports.map(|report| json(&report)), &["personas.kinds.", "gaps.missing."]);
    tells_every_field(PAGE, "JSON", &written);
}

#[test]
fn every_column_is_told_and_no_other_is() {
    tells_every_column(PAGE, "CSV", csv::COLUMNS.iter().map(|(name, _)| *name));
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
