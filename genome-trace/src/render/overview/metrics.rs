//! The report as metrics: the GPUs (docs/gpu.md), what personas and the machine
//! use (docs/prometheus.md), and how the machine is.

use std::collections::BTreeMap;

use crate::{
    model::{Active, HealthState, Overview},
    render::{
        exposition::{Whose, add_usage},
        open_metrics::{OpenMetrics, Type::Gauge, Value},
        stats,
    },
};

/// Writes OpenMetrics text. What is unknown has no sample.
pub fn write_metrics(out: &mut Vec<u8>, overview: &Overview) {
    let mut metrics = OpenMetrics::default();
    stats::add(&mut metrics, &overview.gpus);
    let state = overview.health.as_ref().map(|health| match health.state() {
        HealthState::Healthy => 0,
        HealthState::Warning => 1,
        HealthState::Critical => 2,
    });
    let help = "How the machine is: 0 healthy, 1 warning, 2 critical.";
    metrics
        .metric("genome_trace_health_state", Gauge, "", help)
        .sample(&[], state.map(Value::Whole));
    let score = overview.health.as_ref().map(|health| health.score().points);
    metrics
        .metric("genome_trace_health_score", Gauge, "", "How well the machine is, from 0 to 100.")
        .sample(&[], score.map(|points| Value::Whole(points.into())));
    if let Ok(active) = &overview.active {
        add_usage(&mut metrics, &active.usage);
        let machine = &active.usage.machine;
        for (name, help, value) in [
            (
                "genome_trace_seen_events",
                "Events since the recorder began to trace.",
                machine.events,
            ),
            (
                "genome_trace_seen_lost_events",
                "Events that were lost since the recorder began to trace.",
                machine.lost_events,
            ),
        ] {
            metrics.metric(name, Gauge, "", help).sample(&[], value.map(Value::Whole));
        }
        crashes(&mut metrics, active);
    }
    out.extend_from_slice(metrics.finish().as_bytes());
}

/// In one sum where labels are equal: a series that is there twice is refused.
fn crashes(metrics: &mut OpenMetrics, active: &Active) {
    let Some(crashes) = &active.crashes else { return };
    let mut sums: BTreeMap<Whose, u64> = BTreeMap::new();
    let none = active.usage.personas.iter().map(|usage| (&usage.persona, 0));
    for (persona, count) in none.chain(crashes.iter().map(|(persona, count)| (persona, *count))) {
        let sum = sums.entry(Whose::of(persona)).or_default();
        *sum = sum.saturating_add(count);
    }
    let help = "Crashes in the last hour.";
    let mut metric = metrics.metric("genome_crashes_last_hour", Gauge, "", help);
    for (whose, count) in &sums {
        metric.sample(&whose.labels(), Some(Value::Whole(*count)));
    }
}
