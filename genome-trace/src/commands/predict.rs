//! `--predict`: what runs out when, from a recorder's store and a look at the
//! limits of now.

use std::process::ExitCode;

use anyhow::bail;
use jiff::Zoned;

use super::{crashes::wall_time, current, follow, history::nothing, shell, watched::gaps};
use crate::{
    cli::{View, ViewFormat},
    detect::{PredictFacts, predict, predict_advice},
    kernel::{
        cgroup::Hierarchy, machine, memory_limit::charge_slack, open_files_limit::open_files_limit,
        process,
    },
    model::{Metric, PredictReport, Prediction, ProcessUsage, TimeRange, WallTime},
    render::predict,
    store::{History as _, Place, Reader, Resolution, TrackQuery},
};

/// What is used up.
const METRICS: [Metric; 3] = [Metric::RssBytes, Metric::VramBytes, Metric::OpenFiles];

/// Prints the report.
pub(super) fn run(view: &View) -> anyhow::Result<ExitCode> {
    let asked = Zoned::now();
    let now = wall_time(&asked);
    let length = view.predict_options.predict.unwrap_or_default();
    let length_ns = i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
    let from = WallTime { unix_ns: now.unix_ns.saturating_sub(length_ns) };
    let range = TimeRange { from, until: now };
    let place = Place::new(&view.store);
    let reader = Reader::open(place.clone())?;
    let query =
        TrackQuery { metrics: METRICS.to_vec(), ..TrackQuery::all(range, Resolution::Moment) };
    let tracks = reader.tracks(&query)?;
    let rooms = reader.rooms(range)?;
    if tracks.is_empty() && rooms.is_empty() {
        bail!(nothing(&reader, &place, view, &[range], &asked)?);
    }
    let current = current::look(view);
    // To look took a while.
    let now = wall_time(&Zoned::now());
    let hierarchy = Hierarchy::find();
    let look = current.as_ref().ok();
    let mut predictions = predict(&PredictFacts {
        tracks: &tracks,
        rooms: &rooms,
        usage: look.map(|look| &look.usage),
        gpus: look.and_then(|look| look.gpus.as_ref()),
        descriptor_limit: &open_files_limit,
        held_beside: &|processes| held_beside(hierarchy.as_ref()?, processes),
        held_slack: charge_slack() as f64,
        now,
    });
    if !view.persona.is_empty() {
        let is_asked_for = |of: &Prediction| {
            of.persona.as_ref().is_some_and(|persona| view.persona.contains(&persona.name))
        };
        predictions.retain(is_asked_for);
    }
    let report = PredictReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: machine::host_name(),
        now,
        store: place.file().display().to_string(),
        range,
        advice: predict_advice(&predictions),
        predictions,
        unknown_because: current.err(),
        gaps: gaps(&reader, &reader.coverage()?, range, now)?,
    };
    let mut out = Vec::new();
    match view.format {
        ViewFormat::Json => predict::write_json(&mut out, &report),
        ViewFormat::Csv => predict::write_csv(&mut out, &report),
        ViewFormat::Prometheus => predict::write_metrics(&mut out, &report),
        ViewFormat::Table => {
            predict::write_text(&mut out, &report, &follow::style(view.no_color));
        }
    }
    shell::print(&out)
}

/// What the cgroup that limits them has beside their resident memory. All of
/// them are under it.
fn held_beside(hierarchy: &Hierarchy, processes: &[ProcessUsage]) -> Option<f64> {
    let path = process::cgroup_path(processes.first()?.key.tgid, hierarchy)?;
    let held = hierarchy.memory_held(&path)?;
    let resident = processes.iter().map(|of| process::resident_bytes(of.key));
    Some(held as f64 - resident.sum::<Option<u64>>()? as f64)
}
