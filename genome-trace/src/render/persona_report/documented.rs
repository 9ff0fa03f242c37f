//! Holds docs/stats.md against what is really written of one persona.

use super::{
    csv,
    sample::{every_reason, gone, known, unknown},
    tests::{json, metrics},
};
use crate::render::documented::{
    metric_names, rows, tells_every_column, tells_every_field, written,
};

const PAGE: &str = include_str!("../../../../docs/stats.md");
const PROMETHEUS: &str = include_str!("../../../../docs/prometheus.md");

#[test]
fn every_field_is_told_with_when_it_is_null_and_no_other_is() {
    let reports = [known(), unknown(), gone(), every_reason()].map(|report| json(&report));
    tells_every_field(PAGE, "JSON of `--genome-id`", &written(reports, &["hour.gaps.missing."]));
}

#[test]
fn every_column_is_told_and_no_other_is() {
    tells_every_column(PAGE, "CSV of `--genome-id`", csv::names());
}

#[test]
fn every_metric_is_told_on_one_of_the_pages() {
    let pages = [rows(PAGE, "Metrics"), rows(PROMETHEUS, "Metrics")];
    for name in metric_names(&metrics(&known())) {
        assert!(pages.iter().any(|page| page.contains_key(name)), "{name}");
    }
}
