//! A line for each step of each series, as CSV. A gap has empty cells.

use crate::{
    model::{Course, HistoryReport, Point, WallTime},
    render::{csv::line, time::Utc},
};

/// One step.
pub(super) struct Row<'a> {
    course: &'a Course,
    from: WallTime,
    point: Option<&'a Point>,
}

type Column = (&'static str, fn(&Row<'_>) -> Option<String>);

/// Every column: name and value.
pub(super) const COLUMNS: [Column; 8] = [
    ("time", |row| Some(Utc(row.from).to_string())),
    ("persona", |row| Some(row.course.series.source.persona.as_ref()?.name.clone())),
    ("genome_id", |row| row.course.series.source.persona.as_ref()?.genome_id.clone()),
    ("metric", |row| Some(row.course.series.metric.name().to_owned())),
    ("count", |row| Some(row.point?.count.to_string())),
    ("min", |row| Some(row.point?.min.to_string())),
    ("average", |row| Some(row.point?.average.to_string())),
    ("max", |row| Some(row.point?.max.to_string())),
];

/// Writes a line of names, and one for each step of each series.
pub fn write_csv(out: &mut Vec<u8>, report: &HistoryReport) {
    line(out, COLUMNS.iter().map(|(name, _)| Some((*name).to_owned())));
    for course in &report.courses {
        let step_ns = i64::try_from(course.series.step_ns).unwrap_or(i64::MAX);
        let starts = std::iter::successors(Some(course.series.range.from.unix_ns), |at| {
            at.checked_add(step_ns)
        });
        for (point, unix_ns) in course.series.points.iter().zip(starts) {
            let row = Row { course, from: WallTime { unix_ns }, point: point.as_ref() };
            line(out, COLUMNS.iter().map(|(_, value)| value(&row)));
        }
    }
}
