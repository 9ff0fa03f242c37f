//! A line for each supply, as CSV.

use super::words::object;
use crate::{
    model::{PredictReport, Prediction},
    render::csv::line,
};

type Column = (&'static str, fn(&Prediction) -> Option<String>);

/// Every column: name and value.
pub(super) const COLUMNS: [Column; 12] = [
    ("persona", |of| Some(of.persona.as_ref()?.name.clone())),
    ("genome_id", |of| of.persona.as_ref()?.genome_id.clone()),
    ("supply", |of| Some(of.supply.name().to_owned())),
    ("object", |of| object(&of.supply)),
    ("used", |of| Some(of.used.to_string())),
    ("limit", |of| Some(of.limit.to_string())),
    ("slope_per_hour", |of| Some(of.forecast.ok()?.slope_per_hour.to_string())),
    ("reached_in_ns", |of| Some(of.forecast.ok()?.reached_in_ns.to_string())),
    ("earliest_ns", |of| Some(of.forecast.ok()?.earliest_ns.to_string())),
    ("latest_ns", |of| Some(of.forecast.ok()?.latest_ns?.to_string())),
    ("explained", |of| Some(of.forecast.ok()?.explained.to_string())),
    ("no_forecast", |of| Some(of.forecast.err()?.name().to_owned())),
];

/// Writes a line of names, and one for each supply.
pub fn write_csv(out: &mut Vec<u8>, report: &PredictReport) {
    line(out, COLUMNS.iter().map(|(name, _)| Some((*name).to_owned())));
    for of in &report.predictions {
        line(out, COLUMNS.iter().map(|(_, value)| value(of)));
    }
}
