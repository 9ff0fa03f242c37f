//! Holds docs/cost.md against what is really written.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    tests::{known, metrics, unknown},
    write_json,
};
use crate::{
    model::Cost,
    render::documented::{fields, tells_every_field, tells_every_metric, tells_what_can_be_null},
};

const PAGE: &str = include_str!("../../../../docs/cost.md");

fn json(cost: &Cost) -> Value {
    let mut out = Vec::new();
    write_json(&mut out, cost).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn written_fields() -> BTreeMap<String, bool> {
    fields([json(&known()), json(&unknown())])
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
    let text = metrics(&known());
    tells_every_metric(PAGE, &text);
}
