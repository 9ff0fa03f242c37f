//! Holds docs/cost.md against what is really written.
#![allow(clippy::unwrap_used)]

use super::{
    tests::{known, metrics, unknown},
    write_json,
};
use crate::{
    model::Cost,
    render::documented::{tells_every_field, tells_every_metric, written},
};

const PAGE: &str = include_str!("../../../../docs/cost.md");

fn json(cost: Cost) -> String {
    let mut out = Vec::new();
    write_json(&mut out, &cost).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_field_is_told_and_no_other_is() {
    tells_every_field(PAGE, "JSON", &written([known(), unknown()].map(json), &[]));
}

#[test]
fn every_metric_is_told_and_no_other_is() {
    let text = metrics(&known());
    tells_every_metric(PAGE, &text);
}
