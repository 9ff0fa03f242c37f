//! The report as one JSON object (docs/alerts.md). Every field is always
//! there; `null` is unknown.

use serde::Serialize;

use crate::{
    model::{Act, Alert, AlertReport},
    render::{
        alert::AlertFields,
        summary_json::{GapObject, gap, utc},
    },
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
    watched: Vec<WatchedObject>,
    gaps: Vec<GapObject<'a>>,
    alerts: Vec<AlertObject<'a>>,
}

#[derive(Serialize)]
struct WatchedObject {
    from: String,
    until: String,
    ended_orderly: bool,
}

#[derive(Serialize)]
struct ActObject<'a> {
    time: String,
    remedy: &'static str,
    outcome: &'static str,
    why: Option<&'a str>,
    tgid: u32,
}

#[derive(Serialize)]
struct AlertObject<'a> {
    state: &'static str,
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    tgid: Option<u32>,
    start_time: Option<u64>,
    comm: Option<&'a str>,
    acts: Vec<ActObject<'a>>,
    #[serde(flatten)]
    fields: AlertFields<'a>,
}

/// Writes one object on one line.
pub fn write_json(out: &mut Vec<u8>, report: &AlertReport) {
    let object = Report {
        v: FORMAT,
        version: &report.version,
        host: &report.host,
        time: utc(report.now),
        store: &report.store,
        from: utc(report.range.from),
        until: utc(report.range.until),
        is_complete: report.gaps.is_empty(),
        watched: report
            .watched
            .iter()
            .map(|run| WatchedObject {
                from: utc(run.from),
                until: utc(run.until),
                ended_orderly: run.ended_orderly,
            })
            .collect(),
        gaps: report.gaps.iter().map(gap).collect(),
        alerts: report.alerts.iter().map(|alert| object(report, alert)).collect(),
    };
    // Neither a Vec nor these types can fail.
    let _ = serde_json::to_writer(&mut *out, &object);
    out.push(b'\n');
}

fn object<'a>(report: &'a AlertReport, alert: &'a Alert) -> AlertObject<'a> {
    let persona = alert.anomaly.persona.as_ref();
    let process = alert.anomaly.process.as_ref();
    AlertObject {
        state: report.state(alert).name(),
        persona: persona.map(|persona| persona.name.as_str()),
        genome_id: persona.and_then(|persona| persona.genome_id.as_deref()),
        tgid: process.map(|process| process.key.tgid),
        start_time: process.map(|process| process.key.start_time),
        comm: process.and_then(|process| process.comm.as_deref()),
        acts: report.acts_of(alert).map(act).collect(),
        fields: AlertFields::of(alert),
    }
}

fn act(act: &Act) -> ActObject<'_> {
    ActObject {
        time: utc(act.wall_time),
        remedy: act.remedy.name(),
        outcome: act.outcome.name(),
        why: act.outcome.why(),
        tgid: act.process.key.tgid,
    }
}
