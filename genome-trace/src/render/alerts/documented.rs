//! Holds docs/alerts.md against what is really written.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::{
    csv,
    sample::{none, several, with_gaps},
    tests::{json, metrics},
};
use crate::{
    model::Rule,
    render::documented::{rows, tells_every_field, tells_every_metric, written},
};

const PAGE: &str = include_str!("../../../../docs/alerts.md");
const EVENTS: &str = include_str!("../../../../docs/events.md");

/// Those that an event has, too, are told on its page.
fn of_events() -> BTreeSet<String> {
    rows(EVENTS, "`alert`").into_keys().map(|field| format!("alerts.{field}")).collect()
}

fn own_fields() -> BTreeMap<String, bool> {
    let of_events = of_events();
    let reports = [with_gaps(several()), none()].map(|report| json(&report));
    let written = written(reports, &["gaps.missing."]);
    for field in &of_events {
        assert!(written.contains_key(field), "{field}");
    }
    written.into_iter().filter(|(name, _)| !of_events.contains(name)).collect()
}

#[test]
fn every_field_is_told_and_no_other_is() {
    tells_every_field(PAGE, "JSON", &own_fields());
}

#[test]
fn every_column_is_told_and_no_other_is() {
    let names: BTreeSet<&str> = csv::COLUMNS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, rows(PAGE, "CSV").into_keys().collect());
}

#[test]
fn every_metric_is_told_and_no_other_is() {
    tells_every_metric(PAGE, &metrics(&with_gaps(several())));
}

#[test]
fn every_rule_is_told_and_no_other_is() {
    let names: BTreeSet<&str> = Rule::ALL.map(Rule::name).into();
    assert_eq!(names, rows(PAGE, "What is watched for").into_keys().collect());
}
