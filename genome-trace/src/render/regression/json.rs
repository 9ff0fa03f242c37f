//! The report as one JSON object (docs/regression.md). Every field is always
//! there; `null` is unknown, or there is no baseline.

use serde::Serialize;

use super::words;
use crate::model::{
    RunBasis, RunMetric, RunMetricChange, RunNameChange, RunRange, RunReport, RunRuleOutcome,
    RunView, run_gate_state,
};

/// Version of the JSON.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Object<'a> {
    v: u32,
    genome_trace: &'a str,
    command: &'a [String],
    directory: &'a str,
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    runs: usize,
    runs_before: Option<usize>,
    endings: Vec<String>,
    notes: &'a [String],
    metrics: Vec<MetricObject>,
    names: Vec<NameObject<'a>>,
    unjudged_names: Vec<UnjudgedObject<'a>>,
    gate: GateObject<'a>,
}

#[derive(Serialize)]
struct MetricObject {
    metric: &'static str,
    class: &'static str,
    unit: &'static str,
    before: Option<RangeObject>,
    after: Option<RangeObject>,
    percent: Option<f64>,
    verdict: Option<&'static str>,
    basis: Option<&'static str>,
    p: Option<f64>,
    because: Option<String>,
}

#[derive(Serialize)]
struct RangeObject {
    min: u64,
    median: u64,
    max: u64,
}

#[derive(Serialize)]
struct NameObject<'a> {
    kind: &'static str,
    name: &'a str,
    before: RangeObject,
    after: RangeObject,
    verdict: &'static str,
}

#[derive(Serialize)]
struct UnjudgedObject<'a> {
    kind: &'static str,
    because: &'a str,
}

#[derive(Serialize)]
struct GateObject<'a> {
    state: &'static str,
    rules: Vec<RuleObject<'a>>,
}

#[derive(Serialize)]
struct RuleObject<'a> {
    rule: &'a str,
    state: &'static str,
    found: &'a str,
}

/// Writes one object on one line.
pub fn write_json(out: &mut Vec<u8>, view: RunView<'_>) {
    let RunView { report, comparison, gate } = view;
    let metrics = match comparison {
        Some(of) => of.metrics.iter().map(changed).collect(),
        None => RunMetric::ALL.iter().map(|metric| alone(report, *metric)).collect(),
    };
    let object = Object {
        v: FORMAT,
        genome_trace: &report.genome_trace,
        command: &report.command,
        directory: &report.directory,
        persona: report.persona.as_deref(),
        genome_id: report.genome_id.as_deref(),
        runs: report.runs.len(),
        runs_before: comparison.map(|of| of.runs_before),
        endings: report.runs.iter().map(|run| run.outcome.name()).collect(),
        notes: comparison.map(|of| of.notes.as_slice()).unwrap_or_default(),
        metrics,
        names: comparison.map(|of| of.names.iter().map(name).collect()).unwrap_or_default(),
        unjudged_names: comparison.map(unjudged).unwrap_or_default(),
        gate: GateObject {
            state: run_gate_state(gate).name(),
            rules: gate.iter().map(rule).collect(),
        },
    };
    // Neither a Vec nor these types can fail.
    let _ = serde_json::to_writer(&mut *out, &object);
    out.push(b'\n');
}

fn changed(of: &RunMetricChange) -> MetricObject {
    MetricObject {
        metric: of.metric.name(),
        class: of.metric.class().name(),
        unit: of.metric.unit().name(),
        before: of.before.map(range),
        after: of.after.map(range),
        percent: words::percent(of),
        verdict: Some(of.verdict.name()),
        basis: Some(of.basis.name()),
        p: match of.basis {
            RunBasis::MannWhitney { p, .. } => Some(p),
            _ => None,
        },
        because: Some(words::basis(of)),
    }
}

fn alone(report: &RunReport, metric: RunMetric) -> MetricObject {
    let figures = report.figures(metric);
    let why = report.unobserved.get(&metric);
    MetricObject {
        metric: metric.name(),
        class: metric.class().name(),
        unit: metric.unit().name(),
        before: None,
        after: figures.as_deref().and_then(RunRange::of).map(range),
        percent: None,
        verdict: None,
        basis: None,
        p: None,
        because: why.map(|why| format!("not observed, {why}")),
    }
}

const fn range(of: RunRange) -> RangeObject {
    RangeObject { min: of.min, median: of.median, max: of.max }
}

fn name(of: &RunNameChange) -> NameObject<'_> {
    NameObject {
        kind: of.kind.name(),
        name: &of.name,
        before: range(of.before),
        after: range(of.after),
        verdict: of.verdict.name(),
    }
}

fn unjudged(of: &crate::model::RunComparison) -> Vec<UnjudgedObject<'_>> {
    let unjudged = of.unjudged.iter();
    unjudged.map(|(kind, because)| UnjudgedObject { kind: kind.name(), because }).collect()
}

fn rule(of: &RunRuleOutcome) -> RuleObject<'_> {
    RuleObject { rule: &of.rule, state: of.state.name(), found: &of.found }
}
