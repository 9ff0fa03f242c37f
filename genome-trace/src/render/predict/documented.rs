//! Holds docs/predict.md against what is really written.

use super::{
    csv,
    sample::{everything, nothing},
    tests::{json, metrics},
};
use crate::render::documented::{
    tells_every_column, tells_every_field, tells_every_metric, written,
};

const PAGE: &str = include_str!("../../../../docs/predict.md");

#[test]
fn every_field_is_told_and_no_other_is() {
    let reports = [everything(), nothing()].map(|report| json(&report));
    tells_every_field(PAGE, "JSON", &written(reports, &["gaps.missing."]));
}

#[test]
fn every_column_is_told_and_no_other_is() {
    tells_every_column(PAGE, "CSV", csv::COLUMNS.iter().map(|(name, _)| *name));
}

#[test]
fn every_metric_is_told_and_no_other_is() {
    tells_every_metric(PAGE, &metrics(&everything()));
}
