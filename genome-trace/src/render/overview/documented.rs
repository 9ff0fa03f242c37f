//! Holds docs/stats.md against what is really written. The GPUs' part is told
//! in docs/gpu.md, and that of personas' metrics in docs/prometheus.md.
#![allow(clippy::unwrap_used)]

use super::{
    csv,
    sample::{bare, known, of_the_unknown, unknown},
    tests::{json, metrics},
};
use crate::render::documented::{
    metric_names, rows, tells_every_column, tells_every_field, written,
};

const PAGE: &str = include_str!("../../../../docs/stats.md");
const OTHER_PAGES: [&str; 2] =
    [include_str!("../../../../docs/gpu.md"), include_str!("../../../../docs/prometheus.md")];

#[test]
fn every_field_is_told_with_when_it_is_null_and_no_other_is() {
    let reports = [known(), bare(), unknown(), of_the_unknown()].map(|overview| json(&overview));
    let mut written = written(reports, &["recent.gaps.missing."]);
    let gpus = rows(OTHER_PAGES.first().unwrap(), "JSON");
    written.retain(|name, _| !gpus.contains_key(name.as_str()));
    tells_every_field(PAGE, "JSON of `--stats`", &written);
}

#[test]
fn every_column_is_told_and_no_other_is() {
    tells_every_column(PAGE, "CSV of `--stats`", csv::names());
}

#[test]
fn every_metric_is_told_on_one_of_the_pages() {
    let text = metrics(&known());
    let mut written = metric_names(&text);
    for page in OTHER_PAGES {
        for told in rows(page, "Metrics").keys() {
            written.remove(told);
        }
    }
    assert_eq!(written, rows(PAGE, "Metrics").into_keys().collect());
}
