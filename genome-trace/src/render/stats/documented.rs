//! Holds docs/gpu.md against what is really written.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use super::{
    sample::{known, lost, mig, none, unknown},
    tests::{json, metrics},
};
use crate::{
    model::GpuAccess,
    render::documented::{fields, tells_every_field, tells_every_metric, tells_what_can_be_null},
};

const PAGE: &str = include_str!("../../../../docs/gpu.md");

fn written_fields() -> BTreeMap<String, bool> {
    let failed = none(GpuAccess::Failed("x".into()));
    fields(
        [known(), unknown(), mig(), lost(), failed]
            .map(|stats| serde_json::from_str(&json(&stats)).unwrap()),
    )
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
fn every_metric_is_told_and_no_other_is() {
    let text = format!("{}{}", metrics(&known()), metrics(&mig()));
    tells_every_metric(PAGE, &text);
}
