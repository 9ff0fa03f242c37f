//! A line for each process of the persona, as CSV.

use crate::{
    model::{Metric, PersonaReport, ProcessUsage},
    render::{csv::line, time::Utc},
};

/// One process.
pub(super) struct Row<'a> {
    report: &'a PersonaReport,
    usage: &'a ProcessUsage,
}

type Column = (&'static str, fn(&Row<'_>) -> Option<String>);

/// Columns in front of those of the metrics, which have their names.
const BEFORE: [Column; 8] = [
    ("time", |row| Some(Utc(row.report.now).to_string())),
    ("persona", |row| Some(row.report.persona.name.clone())),
    ("genome_id", |row| row.report.persona.genome_id.clone()),
    ("tgid", |row| Some(row.usage.key.tgid.to_string())),
    ("ppid", |row| Some(row.usage.ppid?.to_string())),
    ("comm", |row| row.usage.comm.clone()),
    ("uid", |row| Some(row.usage.uid?.to_string())),
    ("started", |row| Some(Utc(row.usage.started?).to_string())),
];

/// The names of all columns.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BEFORE.into_iter().map(|(name, _)| name).chain(Metric::ALL.map(Metric::name))
}

/// Writes a line of names, and one for each process.
pub fn write_csv(out: &mut Vec<u8>, report: &PersonaReport) {
    line(out, names().map(|name| Some(name.to_owned())));
    for usage in report.usage.iter().flat_map(|usage| &usage.processes) {
        let row = Row { report, usage };
        let before = BEFORE.iter().map(|(_, value)| value(&row));
        let figures = usage.figures.iter().map(|(_, figure)| figure.map(|of| of.to_string()));
        line(out, before.chain(figures));
    }
}
