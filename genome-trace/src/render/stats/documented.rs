//! Holds docs/gpu.md against what is really written.

use super::{
    sample::{known, lost, mig, none, unknown},
    tests::{json, metrics},
};
use crate::{
    model::GpuAccess,
    render::documented::{tells_every_field, tells_every_metric, written},
};

const PAGE: &str = include_str!("../../../../docs/gpu.md");

#[test]
fn every_field_is_told_and_no_other_is() {
    let failed = none(GpuAccess::Failed("x".into()));
    let reports = [known(), unknown(), mig(), lost(), failed].map(|stats| json(&stats));
    tells_every_field(PAGE, "JSON", &written(reports, &[]));
}

#[test]
fn every_metric_is_told_and_no_other_is() {
    let text = format!("{}{}", metrics(&known()), metrics(&mig()));
    tells_every_metric(PAGE, &text);
}
