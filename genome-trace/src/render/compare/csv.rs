//! A line for each metric of each source, as CSV. What is unknown is empty.

use crate::{
    model::{CompareReport, Comparison},
    render::csv::line,
};

type Column = (&'static str, fn(&Comparison) -> Option<String>);

/// Every column: name and value.
pub(super) const COLUMNS: [Column; 12] = [
    ("persona", |of| of.persona.clone()),
    ("metric", |of| Some(of.metric.name().to_owned())),
    ("change", |of| Some(of.change.name().to_owned())),
    ("percent", |of| Some(of.percent?.to_string())),
    ("now_count", |of| Some(of.now?.count.to_string())),
    ("now_average", |of| Some(of.now?.average.to_string())),
    ("now_p95", |of| Some(of.now?.p95.to_string())),
    ("now_max", |of| Some(of.now?.max.to_string())),
    ("then_count", |of| Some(of.then?.count.to_string())),
    ("then_average", |of| Some(of.then?.average.to_string())),
    ("then_p95", |of| Some(of.then?.p95.to_string())),
    ("then_max", |of| Some(of.then?.max.to_string())),
];

/// Writes a line of names, and one for each comparison.
pub fn write_csv(out: &mut Vec<u8>, report: &CompareReport) {
    line(out, COLUMNS.iter().map(|(name, _)| Some((*name).to_owned())));
    for comparison in &report.comparisons {
        line(out, COLUMNS.iter().map(|(_, value)| value(comparison)));
    }
}
