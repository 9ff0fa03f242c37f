//! What runs out, as metrics: gauges, without a sample where nothing is
//! predicted.

use super::words::object;
use crate::{
    model::{Forecast, PredictReport},
    render::open_metrics::{OpenMetrics, Type::Gauge, Value},
};

/// A metric: name, what it is, and its value.
type Family = (&'static str, &'static str, fn(&Forecast) -> Option<u64>);

const FAMILIES: [Family; 3] = [
    ("genome_trace_predicted_full_seconds", "Time until it is full, along its line", |told| {
        Some(told.reached_in_ns)
    }),
    (
        "genome_trace_predicted_full_earliest_seconds",
        "Time until it is full at the earliest, nine times of ten",
        |told| Some(told.earliest_ns),
    ),
    (
        "genome_trace_predicted_full_latest_seconds",
        "Time until it is full at the latest, nine times of ten",
        |told| told.latest_ns,
    ),
];

/// Writes OpenMetrics text.
pub fn write_metrics(out: &mut Vec<u8>, report: &PredictReport) {
    let mut metrics = OpenMetrics::default();
    for (name, help, value) in FAMILIES {
        let help = format!("{help}. Without a persona: of the machine.");
        let mut family = metrics.metric(name, Gauge, "seconds", &help);
        for of in &report.predictions {
            let Ok(told) = &of.forecast else { continue };
            let persona = of.persona.as_ref();
            let object = object(&of.supply).unwrap_or_default();
            let labels = [
                ("persona", persona.map_or("", |persona| persona.name.as_str())),
                (
                    "genome_id",
                    persona.and_then(|persona| persona.genome_id.as_deref()).unwrap_or_default(),
                ),
                ("supply", of.supply.name()),
                ("object", object.as_str()),
            ];
            family.sample(&labels, value(told).map(|ns| Value::Seconds { ns }));
        }
    }
    out.extend_from_slice(metrics.finish().as_bytes());
}
