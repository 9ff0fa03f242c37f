//! What is shown and kept of looks: `--stats`, `--genome-id` and the store.

use std::collections::BTreeMap;
use std::path::Path;

use genome_trace::model::{TimeRange, Usage};
use genome_trace::store::{History as _, Place, Reader, Resolution, SampleQuery};
use genome_trace_tests_kernel::Checks;
use serde_json::Value;

use super::figures::check_rest;
use super::worker::{Known, LIMITED};

/// What `--stats` and `--genome-id` say of it.
pub(super) fn check_told(
    checks: &mut Checks,
    name: &str,
    workers: &[&Known],
    stats: &Value,
    report: &Value,
    limit_bytes: u64,
) {
    let listed = |value: &Value, list: &str, field: &str, wanted: &Value| {
        let list = value.pointer(list)?.as_array()?;
        list.iter().find(|one| one.get(field) == Some(wanted)).cloned().map(JsonFigures)
    };
    let limit = (name == LIMITED).then_some(limit_bytes);
    for (by, told) in [
        ("--stats", listed(stats, "/active_personas", "persona", &name.into())),
        ("--genome-id", report.get("usage").cloned().map(JsonFigures)),
    ] {
        let Some(told) = told else {
            checks.fail(format_args!("{by} does not have {name}"));
            continue;
        };
        check_rest(checks, &format!("{name} by {by}"), workers, |metric| told.get(metric.name()));
        let what = format!("limit of {name} by {by}");
        checks.equal(what, told.get("rss_limit_bytes"), limit.map(|bytes| bytes as f64));
    }
    for known in workers {
        match listed(report, "/usage/tree", "tgid", &known.pid.into()) {
            Some(told) => {
                let what = format!("{} by --genome-id", known.name());
                check_rest(checks, &what, &[known], |metric| told.get(metric.name()));
            }
            None => checks.fail(format_args!("--genome-id does not have {}", known.name())),
        }
    }
}

/// An object with figures by their names.
struct JsonFigures(Value);

impl JsonFigures {
    fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }
}

/// The store has what readers were told, of each of those looks.
pub(super) fn check_store(checks: &mut Checks, store: &Path, seen: &[Usage]) -> anyhow::Result<()> {
    let reader = Reader::open(Place::new(store))?;
    let stored = reader.samples(&SampleQuery::all(TimeRange::ALL, Resolution::Moment))?;
    let stored: BTreeMap<_, f64> = stored
        .into_iter()
        .map(|sample| {
            ((sample.wall_time, sample.source.persona, sample.metric.name()), sample.last)
        })
        .collect();
    let told: Vec<_> = seen.iter().flat_map(Usage::samples).collect();
    checks.holds(told.len() > seen.len(), "the looks have no figures");
    for sample in told {
        let (at, whose, metric) = (sample.wall_time, sample.source.persona, sample.metric.name());
        let what = format!("{metric} of {whose:?} at {at:?} in the store");
        let kept = stored.get(&(at, whose, metric)).copied();
        // A line's numbers are read to within their last digit.
        let close = |kept: f64| (kept - sample.value).abs() <= sample.value.abs() * 1e-14;
        checks.holds(
            kept.is_some_and(close),
            format_args!("{what}: got {kept:?}, wanted {}", sample.value),
        );
    }
    Ok(())
}
