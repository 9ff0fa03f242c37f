//! The report as one JSON object (docs/compare.md). Every field is always
//! there; `null` is unknown.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    model::{CompareReport, Comparison, Difference, TimeRange},
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
    now: RangeObject,
    then: RangeObject,
    read_by: &'static str,
    is_complete: bool,
    gaps: Vec<GapObject<'a>>,
    comparisons: Vec<ComparisonObject<'a>>,
    differences: Vec<DifferenceObject<'a>>,
}

#[derive(Serialize)]
struct RangeObject {
    from: String,
    until: String,
}

#[derive(Serialize)]
struct ComparisonObject<'a> {
    persona: Option<&'a str>,
    metric: &'static str,
    change: &'static str,
    percent: Option<f64>,
    now: Option<SummaryObject>,
    then: Option<SummaryObject>,
}

#[derive(Serialize)]
struct DifferenceObject<'a> {
    what: &'static str,
    persona: Option<&'a str>,
    now: Value,
    then: Value,
}

/// Writes one object on one line.
pub fn write_json(out: &mut Vec<u8>, report: &CompareReport) {
    let object = Report {
        v: FORMAT,
        version: &report.version,
        host: &report.host,
        time: utc(report.asked),
        store: &report.store,
        now: range(report.now),
        then: range(report.then),
        read_by: report.span.name(),
        is_complete: report.gaps.is_empty(),
        gaps: report.gaps.iter().map(gap).collect(),
        comparisons: report.comparisons.iter().map(comparison).collect(),
        differences: report.differences.iter().map(difference).collect(),
    };
    // Neither a Vec nor these types can fail.
    let _ = serde_json::to_writer(&mut *out, &object);
    out.push(b'\n');
}

fn range(range: TimeRange) -> RangeObject {
    RangeObject { from: utc(range.from), until: utc(range.until) }
}

fn comparison(of: &Comparison) -> ComparisonObject<'_> {
    ComparisonObject {
        persona: of.persona.as_deref(),
        metric: of.metric.name(),
        change: of.change.name(),
        percent: of.percent,
        now: of.now.as_ref().map(summary),
        then: of.then.as_ref().map(summary),
    }
}

fn difference(of: &Difference) -> DifferenceObject<'_> {
    let (now, then) = match of {
        Difference::NewPersona(_) | Difference::GonePersona(_) => (Value::Null, Value::Null),
        Difference::GenomeIds { now, then, .. } | Difference::Executables { now, then, .. } => {
            (json!(now), json!(then))
        }
        Difference::MemoryLimits { now, then, .. } => (json!(now), json!(then)),
    };
    DifferenceObject { what: of.name(), persona: of.persona(), now, then }
}
