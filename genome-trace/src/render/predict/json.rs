//! The report as one JSON object (docs/predict.md). Every field is always
//! there; `null` is unknown.

use serde::Serialize;

use super::words::object;
use crate::{
    model::{Advice, Forecast, PredictReport, Prediction},
    render::summary_json::{GapObject, gap, utc},
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
    is_complete: bool,
    gaps: Vec<GapObject<'a>>,
    limits_unknown_because: Option<&'a str>,
    predictions: Vec<PredictionObject<'a>>,
    advice: Vec<AdviceObject<'a>>,
}

#[derive(Serialize)]
struct PredictionObject<'a> {
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    supply: &'static str,
    object: Option<String>,
    unit: crate::model::Unit,
    used: f64,
    limit: f64,
    since: String,
    looks: u64,
    no_forecast: Option<&'static str>,
    forecast: Option<Forecast>,
}

#[derive(Serialize)]
struct AdviceObject<'a> {
    persona: Option<&'a str>,
    text: &'a str,
}

/// Writes one object on one line.
pub fn write_json(out: &mut Vec<u8>, report: &PredictReport) {
    let object = Report {
        v: FORMAT,
        version: &report.version,
        host: &report.host,
        time: utc(report.now),
        store: &report.store,
        from: utc(report.range.from),
        until: utc(report.range.until),
        is_complete: report.gaps.is_empty(),
        gaps: report.gaps.iter().map(gap).collect(),
        limits_unknown_because: report.unknown_because.as_deref(),
        predictions: report.predictions.iter().map(prediction).collect(),
        advice: report.advice.iter().map(advice).collect(),
    };
    // Neither a Vec nor these types can fail.
    let _ = serde_json::to_writer(&mut *out, &object);
    out.push(b'\n');
}

fn prediction(of: &Prediction) -> PredictionObject<'_> {
    let persona = of.persona.as_ref();
    PredictionObject {
        persona: persona.map(|persona| persona.name.as_str()),
        genome_id: persona.and_then(|persona| persona.genome_id.as_deref()),
        supply: of.supply.name(),
        object: object(&of.supply),
        unit: of.supply.unit(),
        used: of.used,
        limit: of.limit,
        since: utc(of.since),
        looks: of.looks,
        no_forecast: of.forecast.err().map(|why| why.name()),
        forecast: of.forecast.ok(),
    }
}

fn advice(advice: &Advice) -> AdviceObject<'_> {
    AdviceObject { persona: advice.persona.as_deref(), text: &advice.text }
}
