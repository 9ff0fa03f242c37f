//! The gate: whether runs keep the rules.

use super::{
    SIGNIFICANT,
    compare::unobserved,
    mann_whitney,
    names::names,
    notes::lost_of_metric,
    rule::{Bound, Condition, GateRule, NewName, Operator},
};
use crate::{
    model::{
        RunBasis, RunClass, RunComparison, RunMetric, RunRange, RunReport, RunRuleOutcome,
        RunRuleState, RunUnit, RunVerdict,
    },
    render::{
        text::Escaped,
        units::{Bytes, Count, Elapsed},
    },
};

/// So many names are told one by one.
const NAMES_TOLD: usize = 5;

/// What becomes of a rule, and what was found.
type Found = (RunRuleState, String);

/// The earlier report, and the comparison with it.
type Baseline<'a> = Option<(&'a RunReport, &'a RunComparison)>;

/// Judges every rule on the runs of `report`, with what they were compared
/// with.
#[must_use]
pub fn judge_rules(
    rules: &[GateRule],
    report: &RunReport,
    baseline: Baseline<'_>,
) -> Vec<RunRuleOutcome> {
    let judge = |rule: &GateRule| {
        let (state, found) = match rule.what {
            Condition::Figure { metric, operator, bound } => {
                figure(report, baseline, metric, operator, bound)
            }
            Condition::New(what) => new_names(report, baseline, what),
            Condition::Changed => changed(baseline),
        };
        RunRuleOutcome { rule: rule.to_string(), state, found }
    };
    rules.iter().map(judge).collect()
}

/// Why a rule could not be judged whatever the command does, in a sentence;
/// `runs` is how often it will run. To be asked before it runs.
#[must_use]
pub fn rule_obstacle(rule: &GateRule, baseline: Option<&RunReport>, runs: usize) -> Option<String> {
    if !rule.needs_baseline() {
        return None;
    }
    let Some(baseline) = baseline else {
        return Some(format!(
            "cannot judge the rule {rule}: it compares with a baseline, and there is none; give \
             --baseline=FILE, or take the rule out"
        ));
    };
    let Condition::Figure { metric, .. } = rule.what else { return None };
    if baseline.figures(metric).is_none() {
        let why = unobserved(baseline, metric);
        return Some(format!(
            "cannot judge the rule {rule}: {metric} is unknown in the baseline ({}); make the \
             baseline anew where it can be observed, or take the rule out",
            escaped(why)
        ));
    }
    let before = baseline.runs.len();
    let is_too_few = metric.class() == RunClass::Noisy
        && mann_whitney::least_p_value(before, runs) > SIGNIFICANT;
    is_too_few.then(|| {
        format!(
            "cannot judge the rule {rule}: {}; give --repeat=4 or more, for the baseline too",
            too_few(metric, before, runs)
        )
    })
}

fn figure(
    report: &RunReport,
    baseline: Baseline<'_>,
    metric: RunMetric,
    operator: Operator,
    bound: Bound,
) -> Found {
    let Some(figures) = report.figures(metric) else {
        let why = escaped(unobserved(report, metric));
        return (RunRuleState::NotJudged, format!("{metric} was not observed: {why}"));
    };
    let (is_broken, found) = match (bound, baseline) {
        (Bound::Number(number), _) => {
            // Of a time one run says little, so the middle one counts.
            let judged = match (metric.class(), RunRange::of(&figures)) {
                (RunClass::Noisy, Some(range)) => vec![range.median],
                _ => figures.clone(),
            };
            let is_broken = judged.iter().any(|of| operator.holds(number.compared(*of)));
            (is_broken, format!("{metric} is {}", shown(&figures, metric)))
        }
        (Bound::More(_) | Bound::Percent(_), None) => {
            return (RunRuleState::NotJudged, "there is no baseline".to_owned());
        }
        (Bound::More(_) | Bound::Percent(_), Some((before, comparison))) => {
            match relative(before, comparison, &figures, metric, operator, bound) {
                Ok(is_broken) => {
                    let then = before.figures(metric).unwrap_or_default();
                    (is_broken, both(&then, &figures, metric))
                }
                Err(why) => return (RunRuleState::NotJudged, why),
            }
        }
    };
    match lost_of_metric(report, metric) {
        // What was seen is enough to break it, whatever else there was.
        Some(lost) if !(is_broken && operator.is_upward()) => {
            (RunRuleState::NotJudged, format!("{found}, or more: {lost}"))
        }
        _ if is_broken => (RunRuleState::Broken, found),
        _ => (RunRuleState::Kept, found),
    }
}

/// Whether the rule is broken.
///
/// # Errors
/// Why that cannot be said.
fn relative(
    before: &RunReport,
    comparison: &RunComparison,
    now: &[u64],
    metric: RunMetric,
    operator: Operator,
    bound: Bound,
) -> Result<bool, String> {
    let Some(then) = before.figures(metric) else {
        let why = escaped(unobserved(before, metric));
        return Err(format!("{metric} is unknown in the baseline: {why}"));
    };
    if let Some(lost) = lost_of_metric(before, metric) {
        return Err(format!("{metric} of the baseline may be too low: {lost}"));
    }
    let holds = |now: u64, then: u64| {
        operator.holds(match bound {
            Bound::Number(number) => number.compared(now),
            Bound::More(more) => more.compared_above(now, then),
            Bound::Percent(percent) => percent.compared_percent_above(now, then),
        })
    };
    let medians = || {
        let range = RunRange::of(now).zip(RunRange::of(&then));
        range.is_some_and(|(now, then)| holds(now.median, then.median))
    };
    match metric.class() {
        RunClass::Exact => Ok(now.iter().all(|now| then.iter().all(|then| holds(*now, *then)))),
        RunClass::Stable => Ok(medians()),
        RunClass::Noisy => match comparison.metric(metric).map(|change| &change.basis) {
            Some(RunBasis::MannWhitney { p, .. }) => Ok(*p <= SIGNIFICANT && medians()),
            _ => Err(too_few(metric, then.len(), now.len())),
        },
    }
}

fn too_few(metric: RunMetric, before: usize, after: usize) -> String {
    let (before, after) = (runs(before), runs(after));
    format!("{metric} is a time, and {before} before and {after} after cannot show that it changed")
}

fn runs(count: usize) -> String {
    if count == 1 { "1 run".to_owned() } else { format!("{count} runs") }
}

fn new_names(report: &RunReport, baseline: Baseline<'_>, what: NewName) -> Found {
    let Some((before, comparison)) = baseline else {
        return (RunRuleState::NotJudged, "there is no baseline".to_owned());
    };
    let kinds = what.kinds();
    let obstacle = comparison.unjudged.iter().find(|(kind, _)| kinds.contains(kind));
    if let Some((kind, why)) = obstacle {
        let kind = kind.name();
        return (RunRuleState::NotJudged, format!("{kind} cannot be told, {}", escaped(why)));
    }
    let (then, now) = (names(before, kinds), names(report, kinds));
    let new: Vec<&String> = now.difference(&then).collect();
    let (one, plural) = what.nouns();
    match new.as_slice() {
        [] => (RunRuleState::Kept, format!("no {plural} are new")),
        [name] => (RunRuleState::Broken, format!("{one} is new: {}", escaped(name))),
        many => {
            let told: Vec<_> = many.iter().take(NAMES_TOLD).map(|name| escaped(name)).collect();
            let more = match many.len().checked_sub(NAMES_TOLD) {
                Some(more @ 1..) => format!(" and {more} more"),
                _ => String::new(),
            };
            let told = told.join(", ");
            (RunRuleState::Broken, format!("{} {plural} are new: {told}{more}", many.len()))
        }
    }
}

fn changed(baseline: Baseline<'_>) -> Found {
    let Some((_, comparison)) = baseline else {
        return (RunRuleState::NotJudged, "there is no baseline".to_owned());
    };
    let exact = || comparison.metrics.iter().filter(|of| of.metric.class() == RunClass::Exact);
    let metrics = exact().filter(|of| of.verdict.is_change()).map(|of| of.metric.name().to_owned());
    let names = comparison.names.iter().filter(|of| of.kind.is_exact() && of.verdict.is_change());
    let names: Vec<_> = names.collect();
    let mut found: Vec<String> = metrics.collect();
    if !names.is_empty() {
        let word = if names.len() == 1 { "name" } else { "names" };
        found.push(format!("{} {word}", Count(names.len() as u64)));
    }
    if !found.is_empty() {
        return (RunRuleState::Broken, format!("changed: {}", found.join(", ")));
    }
    if let Some(of) = exact().find(|of| of.verdict == RunVerdict::NotJudged) {
        let why = match &of.basis {
            RunBasis::Unobserved(why) | RunBasis::Lost(why) => escaped(why),
            _ => "nothing is known".to_owned(),
        };
        return (RunRuleState::NotJudged, format!("{} cannot be told, {why}", of.metric));
    }
    if let Some((kind, why)) = comparison.unjudged.iter().find(|(kind, _)| kind.is_exact()) {
        let kind = kind.name();
        return (RunRuleState::NotJudged, format!("{kind} cannot be told, {}", escaped(why)));
    }
    (RunRuleState::Kept, "no count and no name changed".to_owned())
}

fn both(then: &[u64], now: &[u64], metric: RunMetric) -> String {
    let (was, is) = (shown(then, metric), shown(now, metric));
    let medians = RunRange::of(then).zip(RunRange::of(now));
    let percent = medians.filter(|(then, _)| then.median > 0).map(|(then, now)| {
        let (then, now) = (then.median as f64, now.median as f64);
        format!(" ({:+.1} %)", (now - then) / then * 100.0)
    });
    format!("{metric} is {is}, and was {was}{}", percent.unwrap_or_default())
}

/// The figures of all runs, for people.
fn shown(figures: &[u64], metric: RunMetric) -> String {
    let one = |figure: u64| match metric.unit() {
        RunUnit::Count => Count(figure).to_string(),
        RunUnit::Bytes => Bytes(figure).to_string(),
        RunUnit::Nanoseconds => Elapsed(figure).to_string(),
    };
    match RunRange::of(figures) {
        None => "unknown".to_owned(),
        Some(range) if range.is_steady() => one(range.min),
        Some(range) => format!(
            "{} to {}, {} in the middle of {}",
            one(range.min),
            one(range.max),
            one(range.median),
            runs(figures.len())
        ),
    }
}

fn escaped(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}
