//! What of a run this kernel does not let anybody see.

use std::collections::BTreeMap;

use crate::{
    model::{EventKind, RunMetric},
    probe::{Plan, ProbeVerdict},
};

/// Metrics that cannot be observed here, with the reason.
pub(super) fn unknown(plan: &Plan, has_looks: bool) -> BTreeMap<RunMetric, String> {
    let mut unknown = BTreeMap::new();
    if plan.mode.is_none() {
        let reasons = plan
            .modes
            .iter()
            .filter_map(|(mode, usable)| Some(format!("{mode}: {}", usable.as_ref().err()?)));
        let why =
            format!("no way to see files works here ({})", reasons.collect::<Vec<_>>().join("; "));
        for metric in FILES {
            unknown.insert(metric, why.clone());
        }
    }
    for probe in &plan.probes {
        let Some(reason) = probe.verdict.reason() else { continue };
        for metric in alone_seen_by(probe) {
            let why = format!("{} is not there: {reason}", probe.program());
            unknown.entry(*metric).or_insert(why);
        }
    }
    if !has_looks {
        for metric in [RunMetric::PeakTreeRssBytes, RunMetric::PeakThreads] {
            let why = "this kernel does not tell which processes there are (BPF iterators, 5.8)";
            unknown.insert(metric, why.to_owned());
        }
    }
    unknown
}

const FILES: [RunMetric; 5] = [
    RunMetric::FilesCreated,
    RunMetric::FilesUnlinked,
    RunMetric::FilesWritten,
    RunMetric::WriteCalls,
    RunMetric::WrittenBytes,
];

/// What nothing else tells. A run is not made without the essential ones.
fn alone_seen_by(probe: &ProbeVerdict) -> &'static [RunMetric] {
    match probe.kinds() {
        [EventKind::FileUnlink] => &[RunMetric::FilesUnlinked],
        [EventKind::FileCreate] => &[RunMetric::FilesCreated],
        _ if probe.program() == "mark_victim" => &[RunMetric::OomKills],
        _ => &[],
    }
}

/// Rare ways to write that are not counted here, with the reason.
pub(super) fn uncounted(plan: &Plan) -> Vec<String> {
    let told = plan.probes.iter().filter_map(|probe| {
        let is_of_writes = probe.kinds() == [EventKind::FileWrite];
        let reason = probe.verdict.reason().filter(|_| is_of_writes)?;
        Some(format!("{} ({reason})", probe.purpose()))
    });
    told.collect()
}
