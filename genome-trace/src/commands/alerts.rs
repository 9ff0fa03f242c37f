//! `--alerts`: what went wrong in a stretch of time, from a recorder's store.

use std::{collections::HashSet, process::ExitCode};

use jiff::Zoned;

use super::{
    crashes::{range, wall_time},
    follow, shell,
    watched::gaps,
};
use crate::{
    cli::{View, ViewFormat},
    kernel::machine,
    model::{Act, Alert, AlertReport, RecorderRun, TimeRange},
    render::alerts,
    store::{AlertQuery, History as _, Place, Reader, StoreError},
};

/// Prints the report.
pub(super) fn run(view: &View) -> anyhow::Result<ExitCode> {
    let options = &view.alert_options;
    let now = Zoned::now();
    // What cannot be asked is told whether there is a store or not.
    let range = range(&view.crash_options, &now)?;
    let place = Place::new(&view.store);
    let reader = Reader::open(place.clone())?;
    let query = AlertQuery {
        personas: view.persona.clone(),
        rules: options.rule.clone(),
        severity: options.severity,
        open: options.open,
        ..AlertQuery::all(range)
    };
    let now = wall_time(&now);
    let found = reader.alerts(&query)?;
    let acts = acts_about(&found, &reader)?;
    let runs = reader.coverage()?;
    let gaps = gaps(&reader, &runs, range, now)?;
    let overlaps = |run: &RecorderRun| run.until >= range.from && run.from < range.until;
    let report = AlertReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: machine::host_name(),
        now,
        store: place.file().display().to_string(),
        range,
        personas: query.personas,
        rules: query.rules,
        severity: query.severity,
        open: query.open,
        alerts: found,
        acts,
        watched: runs.into_iter().filter(overlaps).collect(),
        gaps,
    };
    let mut out = Vec::new();
    match view.format {
        ViewFormat::Json => alerts::write_json(&mut out, &report),
        ViewFormat::Csv => alerts::write_csv(&mut out, &report),
        ViewFormat::Prometheus => alerts::write_metrics(&mut out, &report),
        ViewFormat::Table => {
            let is_all = view.crash_options.all;
            alerts::write_text(&mut out, &report, is_all, &follow::style(view.no_color));
        }
    }
    shell::print(&out)?;
    Ok(ExitCode::SUCCESS)
}

/// What was done about these alerts, which may be after the time asked for.
fn acts_about(alerts: &[Alert], reader: &Reader) -> Result<Vec<Act>, StoreError> {
    let Some(from) = alerts.iter().map(|alert| alert.raised).min() else { return Ok(Vec::new()) };
    let asked: HashSet<i64> = alerts.iter().map(|alert| alert.id).collect();
    let mut acts = reader.acts(TimeRange { from, ..TimeRange::ALL })?;
    acts.retain(|act| asked.contains(&act.alert));
    Ok(acts)
}
