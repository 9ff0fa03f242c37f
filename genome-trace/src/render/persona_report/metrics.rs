//! What the persona uses, as the metrics of docs/prometheus.md. Of processes and
//! files there are none: each would be a new series.

use crate::{
    model::PersonaReport,
    render::{
        exposition::{Whose, add_personas},
        open_metrics::{OpenMetrics, Type::Gauge, Value},
    },
};

/// Writes OpenMetrics text. What is unknown has no sample.
pub fn write_metrics(out: &mut Vec<u8>, report: &PersonaReport) {
    let mut metrics = OpenMetrics::default();
    add_personas(&mut metrics, report.usage.as_slice());
    let whose = Whose::of(&report.persona);
    metrics
        .metric("genome_crashes_last_hour", Gauge, "", "Crashes in the last hour.")
        .sample(&whose.labels(), report.crash_count.map(Value::Whole));
    out.extend_from_slice(metrics.finish().as_bytes());
}
