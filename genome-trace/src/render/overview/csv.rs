//! A line for each persona that has a process, as CSV.

use crate::{
    model::{Active, Metric, PersonaUsage, SortKey},
    render::{csv::line, time::Utc},
};

/// One persona.
pub(super) struct Row<'a> {
    active: &'a Active,
    usage: &'a PersonaUsage,
}

type Column = (&'static str, fn(&Row<'_>) -> Option<String>);

/// Columns in front of those of the metrics, which have their names.
pub(super) const BEFORE: [Column; 3] = [
    ("time", |row| Some(Utc(row.active.usage.wall_time).to_string())),
    ("persona", |row| Some(row.usage.persona.name.clone())),
    ("genome_id", |row| row.usage.persona.genome_id.clone()),
];
/// Columns behind them.
pub(super) const BEHIND: [Column; 3] = [
    ("rss_limit_bytes", |row| Some(row.usage.rss_limit_bytes?.to_string())),
    ("crashes_last_hour", |row| {
        Some(row.active.seen().crashes_of(&row.usage.persona)?.to_string())
    }),
    ("started", |row| Some(Utc(row.usage.started?).to_string())),
];

/// The names of all columns.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let name = |(name, _): Column| name;
    let (before, behind) = (BEFORE.into_iter().map(name), BEHIND.into_iter().map(name));
    before.chain(Metric::ALL.map(Metric::name)).chain(behind)
}

/// Writes a line of names, and one for each persona.
pub fn write_csv(out: &mut Vec<u8>, active: &Active, sort: SortKey) {
    line(out, names().map(|name| Some(name.to_owned())));
    let mut sorted: Vec<_> = active.usage.personas.iter().collect();
    sorted.sort_by(|a, b| sort.order(a, b, active.seen(), false));
    for usage in sorted {
        let row = Row { active, usage };
        let before = BEFORE.iter().map(|(_, value)| value(&row));
        let figures = usage.figures.iter().map(|(_, figure)| figure.map(|of| of.to_string()));
        line(out, before.chain(figures).chain(BEHIND.iter().map(|(_, value)| value(&row))));
    }
}
