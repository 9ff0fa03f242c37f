//! Holds docs/prometheus.md, the dashboard and the rules against what is really
//! written.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::{sample::whole, tests::text};
use crate::render::documented::tells_every_metric;

const PAGE: &str = include_str!("../../../../docs/prometheus.md");
const DASHBOARD: &str = include_str!("../../../../packaging/grafana/genome-trace.json");
const RULES: &str = include_str!("../../../../packaging/prometheus/genome-trace.rules.yml");

/// docs/gpu.md tells those of GPUs.
#[test]
fn every_metric_is_told_and_no_other_is() {
    let text = text(&whole());
    let lines = text.lines().filter(|line| !line.starts_with("genome_trace_gpu_"));
    tells_every_metric(PAGE, &lines.collect::<Vec<_>>().join("\n"));
}

fn named(file: &str) -> BTreeSet<&str> {
    file.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("genome_"))
        .collect()
}

#[test]
fn dashboard_and_rules_ask_for_metrics_that_exist() {
    let text = text(&whole());
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let exist: BTreeSet<&str> = samples.filter_map(|line| line.split(['{', ' ']).next()).collect();
    for (file, least) in [(DASHBOARD, 12), (RULES, 6)] {
        let asked = named(file);
        assert!(asked.len() >= least, "only {asked:?}");
        let unknown: Vec<_> = asked.difference(&exist).collect();
        assert!(unknown.is_empty(), "no such metrics: {unknown:?}");
    }
}

#[test]
fn the_dashboard_is_json_with_its_variables() {
    let board: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let variables = board.pointer("/templating/list").unwrap().as_array().unwrap();
    let names: Vec<_> = variables.iter().map(|of| of.get("name").unwrap().as_str()).collect();
    assert_eq!(names, [Some("datasource"), Some("persona")]);
}
