//! The runs of two reports against each other.

use std::collections::BTreeSet;

use super::{
    SIGNIFICANT, mann_whitney,
    names::{counts, unlisted},
    notes::{lost_of_metric, lost_of_names, notes},
};
use crate::{
    model::{
        RunBasis, RunClass, RunComparison, RunMetric, RunMetricChange, RunNameChange, RunNameKind,
        RunRange, RunReport, RunVerdict,
    },
    render::units::Count,
};

/// What is near enough for an amount and for a time, in percent, where nobody
/// says otherwise.
pub const DEFAULT_TOLERANCE_PERCENT: f64 = 10.0;

/// Compares every metric and every name. `percent` is what is near enough for
/// an amount.
#[must_use]
pub fn compare_runs(before: &RunReport, after: &RunReport, percent: f64) -> RunComparison {
    let metrics = RunMetric::ALL.into_iter().map(|of| metric(before, after, of, percent)).collect();
    let (mut changes, mut unjudged) = (Vec::new(), Vec::new());
    for kind in RunNameKind::ALL {
        match obstacle(before, after, kind) {
            Some(why) => unjudged.push((kind, why)),
            None => changes.extend(names(before, after, kind, percent)),
        }
    }
    RunComparison {
        runs_before: before.runs.len(),
        runs_after: after.runs.len(),
        notes: notes(before, after),
        metrics,
        names: changes,
        unjudged,
    }
}

/// What is near enough however little there is, in the metric's unit: what an
/// allocator, a page or a line of a log comes to.
const fn floor(metric: RunMetric) -> u64 {
    match metric {
        RunMetric::WriteCalls => 10,
        RunMetric::WrittenBytes => 4 << 10,
        RunMetric::PeakRssBytes | RunMetric::PeakTreeRssBytes | RunMetric::PeakVramBytes => 1 << 20,
        RunMetric::PeakThreads => 2,
        _ => 0,
    }
}

fn metric(
    before: &RunReport,
    after: &RunReport,
    metric: RunMetric,
    percent: f64,
) -> RunMetricChange {
    let (then, now) = (before.figures(metric), after.figures(metric));
    let (verdict, basis) = match (&then, &now) {
        (Some(then), Some(now)) => match lost(before, after, metric) {
            Some(words) => (RunVerdict::NotJudged, RunBasis::Lost(words)),
            None => judged(then, now, metric, percent),
        },
        _ => {
            let sides = [("before", before, &then), ("after", after, &now)];
            let unknown = sides.iter().filter(|(.., figures)| figures.is_none());
            let why: Vec<_> = unknown
                .map(|(side, report, _)| format!("{side}: {}", unobserved(report, metric)))
                .collect();
            (RunVerdict::NotJudged, RunBasis::Unobserved(why.join("; ")))
        }
    };
    let range = |figures: Option<Vec<u64>>| figures.as_deref().and_then(RunRange::of);
    RunMetricChange { metric, before: range(then), after: range(now), verdict, basis }
}

/// Why a metric is unknown.
pub(super) fn unobserved(report: &RunReport, metric: RunMetric) -> &str {
    report.unobserved.get(&metric).map_or("the report does not have it", String::as_str)
}

fn lost(before: &RunReport, after: &RunReport, metric: RunMetric) -> Option<String> {
    let sides = [("before", before), ("after", after)];
    let lost = sides.map(|(side, of)| Some(format!("{side}: {}", lost_of_metric(of, metric)?)));
    let words: Vec<_> = lost.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join("; "))
}

fn judged(then: &[u64], now: &[u64], metric: RunMetric, percent: f64) -> (RunVerdict, RunBasis) {
    match metric.class() {
        RunClass::Exact => exact(then, now),
        RunClass::Stable => {
            let floor = floor(metric);
            (near(then, now, percent, floor), RunBasis::Tolerance { percent, floor })
        }
        RunClass::Noisy => noisy(then, now, percent),
    }
}

/// Counts are equal or not; where they differ from run to run already, only
/// those that never meet are different.
fn exact(then: &[u64], now: &[u64]) -> (RunVerdict, RunBasis) {
    let (Some(then), Some(now)) = (RunRange::of(then), RunRange::of(now)) else {
        return (RunVerdict::NotJudged, RunBasis::Exact);
    };
    let is_steady = then.is_steady() && now.is_steady();
    let verdict = match () {
        () if now.min > then.max => RunVerdict::More,
        () if now.max < then.min => RunVerdict::Less,
        () if is_steady => RunVerdict::Equal,
        () => RunVerdict::Unsteady,
    };
    (verdict, if is_steady { RunBasis::Exact } else { RunBasis::Ranges })
}

/// Middle figures are near each other or not.
fn near(then: &[u64], now: &[u64], percent: f64, floor: u64) -> RunVerdict {
    let (Some(then), Some(now)) = (RunRange::of(then), RunRange::of(now)) else {
        return RunVerdict::NotJudged;
    };
    let (then, now) = (then.median, now.median);
    let allowed = (then as f64 * percent / 100.0).max(floor as f64);
    match () {
        () if then == now => RunVerdict::Equal,
        () if then.abs_diff(now) as f64 <= allowed => RunVerdict::Within,
        () if now > then => RunVerdict::More,
        () => RunVerdict::Less,
    }
}

/// A time is another only where chance hardly makes two samples that differ so
/// much, and where the difference is worth telling.
fn noisy(then: &[u64], now: &[u64], percent: f64) -> (RunVerdict, RunBasis) {
    if mann_whitney::least_p_value(then.len(), now.len()) > SIGNIFICANT {
        let basis = RunBasis::TooFewRuns { before: then.len(), after: now.len() };
        return (RunVerdict::NotJudged, basis);
    }
    let p = mann_whitney::p_value(then, now);
    let verdict = match near(then, now, percent, 0) {
        _ if p > SIGNIFICANT => RunVerdict::Within,
        verdict => verdict,
    };
    (verdict, RunBasis::MannWhitney { p, percent })
}

/// Why the names of a kind cannot be told.
fn obstacle(before: &RunReport, after: &RunReport, kind: RunNameKind) -> Option<String> {
    let metric = kind.metric();
    for (side, report) in [("before", before), ("after", after)] {
        let unlisted = report.runs.iter().map(|run| unlisted(run, kind)).max().unwrap_or(0);
        let why = match () {
            () if report.figures(metric).is_none() => Some(unobserved(report, metric).to_owned()),
            () if unlisted > 0 => {
                Some(format!("there was too much to list; {} are missing", Count(unlisted)))
            }
            () => lost_of_names(report, kind),
        };
        if let Some(why) = why {
            return Some(format!("{side}: {why}"));
        }
    }
    None
}

/// The names of a kind whose counts are others, or not steady.
fn names(
    before: &RunReport,
    after: &RunReport,
    kind: RunNameKind,
    percent: f64,
) -> Vec<RunNameChange> {
    let of = |report: &RunReport| -> Vec<_> {
        report.runs.iter().map(|run| counts(run, kind)).collect()
    };
    let (then, now) = (of(before), of(after));
    let all: BTreeSet<&String> = then.iter().chain(&now).flat_map(|run| run.keys()).collect();
    let mut changes: Vec<_> = all
        .into_iter()
        .filter_map(|name| {
            let of = |runs: &[std::collections::BTreeMap<String, u64>]| -> Vec<u64> {
                runs.iter().map(|run| run.get(name).copied().unwrap_or(0)).collect()
            };
            let (then, now) = (of(&then), of(&now));
            let verdict = if kind == RunNameKind::WrittenBytes {
                near(&then, &now, percent, floor(kind.metric()))
            } else {
                exact(&then, &now).0
            };
            let is_told = verdict.is_change() || verdict == RunVerdict::Unsteady;
            let (before, after) = (RunRange::of(&then)?, RunRange::of(&now)?);
            let name = name.clone();
            is_told.then_some(RunNameChange { kind, name, before, after, verdict })
        })
        .collect();
    // Changes before what is not steady, the greatest first; else by name.
    changes.sort_by_key(|change| {
        let difference = change.after.median.abs_diff(change.before.median);
        (!change.verdict.is_change(), std::cmp::Reverse(difference))
    });
    changes
}
