//! The report as one JSON object (docs/history.md). Every field is always
//! there; `null` is unknown.

use serde::Serialize;

use crate::{
    model::{Course, HistoryReport, Point},
    render::summary_json::{GapObject, SummaryObject, gap, summary, utc},
};

/// Version of the JSON.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    v: u32,
    version: &'a str,
    host: &'a str,
    time: String,
    store: &'a str,
    from: String,
    until: String,
    read_by: &'static str,
    step_ns: u64,
    is_complete: bool,
    gaps: Vec<GapObject<'a>>,
    series: Vec<SeriesObject<'a>>,
}

/// One series.
#[derive(Serialize)]
pub(in crate::render) struct SeriesObject<'a> {
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    metric: &'static str,
    summary: SummaryObject,
    trend: &'static str,
    slope_per_hour: Option<f64>,
    points: Vec<Option<PointObject>>,
}

#[derive(Serialize)]
struct PointObject {
    count: u64,
    min: f64,
    average: f64,
    max: f64,
}

/// Writes one object on one line.
pub fn write_json(out: &mut Vec<u8>, report: &HistoryReport) {
    let object = Report {
        v: FORMAT,
        version: &report.version,
        host: &report.host,
        time: utc(report.now),
        store: &report.store,
        from: utc(report.range.from),
        until: utc(report.range.until),
        read_by: report.span.name(),
        step_ns: report.step_ns,
        is_complete: report.gaps.is_empty(),
        gaps: report.gaps.iter().map(gap).collect(),
        series: report.courses.iter().map(series).collect(),
    };
    // Neither a Vec nor these types can fail.
    let _ = serde_json::to_writer(&mut *out, &object);
    out.push(b'\n');
}

pub(in crate::render) fn series(course: &Course) -> SeriesObject<'_> {
    let persona = course.series.source.persona.as_ref();
    SeriesObject {
        persona: persona.map(|persona| persona.name.as_str()),
        genome_id: persona.and_then(|persona| persona.genome_id.as_deref()),
        metric: course.series.metric.name(),
        summary: summary(&course.summary),
        trend: course.trend.name(),
        slope_per_hour: course.trend.slope_per_hour(),
        points: course.series.points.iter().map(|of| of.as_ref().map(point)).collect(),
    }
}

const fn point(point: &Point) -> PointObject {
    let Point { count, min, average, max } = *point;
    PointObject { count, min, average, max }
}
