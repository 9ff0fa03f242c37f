//! Holds docs/regression.md against what is really written, and counted.

use super::{
    sample::{alone, equal, everything, repeated},
    tests::json,
};
use crate::{
    model::RunMetric,
    render::documented::{rows, tells_every_field, written},
};

const PAGE: &str = include_str!("../../../../docs/regression.md");

#[test]
fn every_field_is_told_and_no_other_is() {
    let samples = [everything(), equal(), alone(), repeated()];
    tells_every_field(PAGE, "JSON", &written(samples.map(|sample| json(&sample)), &[]));
}

#[test]
fn every_metric_is_told_with_its_class() {
    let told = rows(PAGE, "Metrics");
    let names: Vec<_> = RunMetric::ALL.map(RunMetric::name).to_vec();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), sorted);
    for metric in RunMetric::ALL {
        let row = format!("| `{metric}` | {} |", metric.class().name());
        assert!(PAGE.contains(&row), "{row}");
    }
}
