//! Words for figures, verdicts and what they rest on.

use crate::{
    model::{
        RunBasis, RunMetric, RunMetricChange, RunNameChange, RunNameKind, RunRange, RunReport,
        RunRuleState, RunUnit, RunVerdict, RunView, run_gate_state,
    },
    render::{
        text::ShellWord,
        units::{Bytes, Count, Elapsed},
    },
};

/// What is unknown.
pub(super) const NONE: &str = "-";

/// A figure in its unit.
pub(super) fn figure(figure: u64, unit: RunUnit) -> String {
    match unit {
        RunUnit::Count => Count(figure).to_string(),
        RunUnit::Bytes => Bytes(figure).to_string(),
        RunUnit::Nanoseconds => Elapsed(figure).to_string(),
    }
}

/// The middle figure, marked where others are different.
pub(super) fn middle(range: Option<RunRange>, unit: RunUnit) -> String {
    match range {
        None => NONE.to_owned(),
        Some(range) if range.is_steady() => figure(range.median, unit),
        Some(range) => format!("~{}", figure(range.median, unit)),
    }
}

/// What a range is, in full.
pub(super) fn range(range: RunRange, unit: RunUnit) -> String {
    if range.is_steady() {
        figure(range.median, unit)
    } else {
        format!("{} to {}", figure(range.min, unit), figure(range.max, unit))
    }
}

/// The middle figures' difference in percent; `None` where there is none, or
/// that of before is 0.
pub(super) fn percent(change: &RunMetricChange) -> Option<f64> {
    let (before, after) = (change.before?.median as f64, change.after?.median as f64);
    let percent = (after - before) / before * 100.0;
    percent.is_finite().then_some(percent)
}

/// How much more it is, or less.
pub(super) fn difference(before: RunRange, after: RunRange, unit: RunUnit) -> String {
    let (before, after) = (before.median, after.median);
    if before == after {
        return "0".to_owned();
    }
    let sign = if after > before { '+' } else { '-' };
    format!("{sign}{}", figure(after.abs_diff(before), unit))
}

/// The difference of a metric, for a table.
pub(super) fn change(change: &RunMetricChange) -> String {
    match (change.before, change.after, percent(change)) {
        (Some(before), Some(after), _) if before.median == after.median => "0".to_owned(),
        (Some(before), Some(after), None) => difference(before, after, change.metric.unit()),
        (Some(before), Some(after), Some(_)) if change.metric.unit() == RunUnit::Count => {
            difference(before, after, RunUnit::Count)
        }
        (_, _, Some(percent)) => format!("{percent:+.1} %"),
        _ => NONE.to_owned(),
    }
}

/// The verdict, with what it rests on where that is short.
pub(super) fn verdict(change: &RunMetricChange) -> String {
    match (change.verdict, &change.basis) {
        (RunVerdict::More, _) => "MORE".to_owned(),
        (RunVerdict::Less, _) => "LESS".to_owned(),
        (RunVerdict::Equal, _) => "equal".to_owned(),
        (RunVerdict::Within, RunBasis::MannWhitney { p, percent }) if *p <= 0.05 => {
            format!("within {percent} %")
        }
        (RunVerdict::Within, RunBasis::MannWhitney { .. }) => "may be chance".to_owned(),
        (RunVerdict::Within, RunBasis::Tolerance { percent, floor }) => {
            let is_by_floor = change.before.zip(change.after).is_some_and(|(then, now)| {
                now.median.abs_diff(then.median) as f64 > then.median as f64 * percent / 100.0
            });
            match is_by_floor {
                true => format!("within {}", figure(*floor, change.metric.unit())),
                false => format!("within {percent} %"),
            }
        }
        (RunVerdict::Within, _) => "within".to_owned(),
        (RunVerdict::Unsteady, _) => "unsteady".to_owned(),
        (RunVerdict::NotJudged, _) => "not judged".to_owned(),
    }
}

/// What a verdict rests on, in a sentence without its full stop; not escaped.
pub(super) fn basis(change: &RunMetricChange) -> String {
    let unit = change.metric.unit();
    match &change.basis {
        RunBasis::Exact => "a count is equal or not".to_owned(),
        RunBasis::Ranges => {
            let ranges = change.before.zip(change.after);
            let (then, now) = ranges.map_or_else(
                || (NONE.to_owned(), NONE.to_owned()),
                |(then, now)| (range(then, unit), range(now, unit)),
            );
            let meet = if change.verdict.is_change() { "never meet" } else { "meet" };
            format!("the runs are {then} before and {now} after, which {meet}")
        }
        RunBasis::Tolerance { percent, floor } => {
            format!("{percent} % or {} are near enough", figure(*floor, unit))
        }
        RunBasis::MannWhitney { p, percent } => format!(
            "Mann-Whitney's p is {}; a change has 0.05 or less, and more than {percent} %",
            probability(*p)
        ),
        RunBasis::TooFewRuns { before, after } => format!(
            "{} before and {} after are too few to tell a change: give --repeat=4 or more, both \
             times",
            runs(*before),
            runs(*after)
        ),
        RunBasis::Unobserved(why) => format!("not observed, {why}"),
        RunBasis::Lost(what) => format!("the count may be too low, {what}"),
    }
}

fn probability(p: f64) -> String {
    if p < 0.0001 { "less than 0.0001".to_owned() } else { format!("{p:.4}") }
}

pub(super) fn runs(count: usize) -> String {
    if count == 1 { "1 run".to_owned() } else { format!("{count} runs") }
}

/// The unit of a kind's counts.
pub(super) const fn unit_of_names(kind: RunNameKind) -> RunUnit {
    match kind {
        RunNameKind::WrittenBytes => RunUnit::Bytes,
        _ => RunUnit::Count,
    }
}

/// What became of a name: `new, 5`, `gone, was 5`, `5, was 3`.
pub(super) fn name_change(of: &RunNameChange) -> String {
    let unit = unit_of_names(of.kind);
    let (before, after) = (range(of.before, unit), range(of.after, unit));
    if of.is_new() {
        format!("new, {after}")
    } else if of.is_gone() {
        format!("gone, was {before}")
    } else {
        let difference = difference(of.before, of.after, unit);
        let unsteady = if of.verdict == RunVerdict::Unsteady { ", unsteady" } else { "" };
        format!("{after}, was {before} ({difference}{unsteady})")
    }
}

/// The command as a shell would have to be given it.
pub(super) fn command(report: &RunReport) -> String {
    let words = report.command.iter().map(|word| ShellWord(word.as_bytes()).to_string());
    words.collect::<Vec<_>>().join(" ")
}

/// How the command ended, each way that there was: `exit 0`, `exit 0 and
/// SIGSEGV`.
pub(super) fn outcomes(report: &RunReport) -> String {
    let mut names: Vec<_> = report.runs.iter().map(|run| run.outcome.name()).collect();
    names.sort();
    names.dedup();
    if names.is_empty() { "no run".to_owned() } else { names.join(" and ") }
}

/// How many metrics and names changed, in a sentence without its full stop.
pub(super) fn changes(view: RunView<'_>) -> Option<String> {
    let comparison = view.comparison?;
    let metrics = comparison.metrics.iter().filter(|of| of.verdict.is_change()).count();
    let names = comparison.names.iter().filter(|of| of.verdict.is_change()).count();
    let of = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    };
    Some(match (metrics, names) {
        (0, 0) => "nothing changed".to_owned(),
        _ => format!("{} and {} changed", of(metrics, "metric"), of(names, "name")),
    })
}

/// What the gate says, in a sentence without its full stop; `None` where there
/// is no rule.
pub(super) fn gate(view: RunView<'_>) -> Option<String> {
    let count = |state| view.gate.iter().filter(|rule| rule.state == state).count();
    let all = view.gate.len();
    let rules = if all == 1 { "1 rule".to_owned() } else { format!("{all} rules") };
    if all == 0 {
        return None;
    }
    let (broken, not_judged) = (count(RunRuleState::Broken), count(RunRuleState::NotJudged));
    Some(match run_gate_state(view.gate) {
        RunRuleState::Kept => format!("{rules} kept"),
        RunRuleState::Broken if not_judged == 0 => format!("{broken} of {rules} broken"),
        RunRuleState::Broken => {
            format!("{broken} of {rules} broken, and {not_judged} could not be judged")
        }
        RunRuleState::NotJudged => {
            format!("{not_judged} of {rules} could not be judged, which is no pass")
        }
    })
}

/// The state of a rule.
pub(super) const fn rule_state(state: RunRuleState) -> &'static str {
    match state {
        RunRuleState::Kept => "kept",
        RunRuleState::Broken => "BROKEN",
        RunRuleState::NotJudged => "NOT JUDGED",
    }
}

/// Metrics that are grouped by what is to be said of all of them, in their
/// order.
pub(super) fn grouped(
    said: impl IntoIterator<Item = (RunMetric, String)>,
) -> Vec<(Vec<RunMetric>, String)> {
    let mut groups: Vec<(Vec<RunMetric>, String)> = Vec::new();
    for (metric, text) in said {
        match groups.iter_mut().find(|(_, known)| *known == text) {
            Some((metrics, _)) => metrics.push(metric),
            None => groups.push((vec![metric], text)),
        }
    }
    groups
}

/// Their names, with commas.
pub(super) fn names(metrics: &[RunMetric]) -> String {
    metrics.iter().map(|metric| metric.name()).collect::<Vec<_>>().join(", ")
}

/// What is worth a sentence beside the table: all that could not be judged, or
/// rests on more than two numbers.
pub(super) fn remarks(view: RunView<'_>) -> Vec<(Vec<RunMetric>, String)> {
    match view.comparison {
        Some(comparison) => grouped(
            comparison
                .metrics
                .iter()
                .filter(|of| match of.basis {
                    RunBasis::Exact | RunBasis::Tolerance { .. } => false,
                    RunBasis::MannWhitney { .. }
                    | RunBasis::Ranges
                    | RunBasis::TooFewRuns { .. }
                    | RunBasis::Unobserved(_)
                    | RunBasis::Lost(_) => true,
                })
                .map(|of| (of.metric, basis(of))),
        ),
        None => grouped(
            view.report.unobserved.iter().map(|(of, why)| (*of, format!("not observed, {why}"))),
        ),
    }
}
