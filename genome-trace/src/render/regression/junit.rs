//! The report as JUnit's XML: a test case for the command's end, for each rule
//! of the gate, and for each metric. A metric that changed is no failure:
//! rules say what is.

use std::fmt::Write as _;

use super::words;
use crate::{
    model::{Ending, RunMetric, RunRange, RunRuleState, RunVerdict, RunView},
    render::text::Escaped,
};

/// Writes the document.
pub fn write_junit(out: &mut Vec<u8>, view: RunView<'_>) {
    let cases: Vec<Case> =
        std::iter::once(command(view)).chain(rules(view)).chain(metrics(view)).collect();
    let count = |is: fn(&Outcome) -> bool| cases.iter().filter(|case| is(&case.outcome)).count();
    let failures = count(|of| matches!(of, Outcome::Failure(_)));
    let errors = count(|of| matches!(of, Outcome::Error(_)));
    let skipped = count(|of| matches!(of, Outcome::Skipped(_)));
    let tests = cases.len();
    let totals = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"genome-trace\" {totals}>\n  \
         <testsuite name=\"{}\" {totals} skipped=\"{skipped}\">\n",
        xml(&words::command(view.report))
    );
    for case in &cases {
        case.write(&mut text);
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    out.extend_from_slice(text.as_bytes());
}

struct Case {
    class: &'static str,
    name: String,
    outcome: Outcome,
}

enum Outcome {
    /// What there is to say.
    Pass(String),
    Failure(String),
    Error(String),
    Skipped(String),
}

impl Case {
    fn write(&self, out: &mut String) {
        let name = xml(&self.name);
        let (element, text) = match &self.outcome {
            Outcome::Pass(text) => ("system-out", text),
            Outcome::Failure(text) => ("failure", text),
            Outcome::Error(text) => ("error", text),
            Outcome::Skipped(text) => ("skipped", text),
        };
        // Some read the attribute, others the text.
        let text = xml(text);
        let message = match self.outcome {
            Outcome::Pass(_) => String::new(),
            _ => format!(" message=\"{text}\""),
        };
        let class = self.class;
        // Writing to a String does not fail.
        let _ = write!(
            out,
            "    <testcase classname=\"genome-trace.{class}\" name=\"{name}\">\
             <{element}{message}>{text}</{element}>"
        );
        out.push_str("</testcase>\n");
    }
}

fn command(view: RunView<'_>) -> Case {
    let ended = words::outcomes(view.report);
    let has_failed = view.report.runs.iter().any(|run| run.outcome != Ending::Exited { code: 0 });
    let outcome = if has_failed { Outcome::Failure(ended) } else { Outcome::Pass(ended) };
    Case { class: "command", name: words::command(view.report), outcome }
}

fn rules<'a>(view: RunView<'a>) -> impl Iterator<Item = Case> + 'a {
    view.gate.iter().map(|rule| {
        let found = rule.found.clone();
        let outcome = match rule.state {
            RunRuleState::Kept => Outcome::Pass(found),
            RunRuleState::Broken => Outcome::Failure(found),
            RunRuleState::NotJudged => Outcome::Error(found),
        };
        Case { class: "gate", name: rule.rule.clone(), outcome }
    })
}

fn metrics<'a>(view: RunView<'a>) -> impl Iterator<Item = Case> + 'a {
    RunMetric::ALL.into_iter().map(move |metric| {
        let change = view.comparison.and_then(|of| of.metric(metric));
        let outcome = match change {
            Some(of) if of.verdict == RunVerdict::NotJudged => Outcome::Skipped(words::basis(of)),
            Some(of) => {
                let (before, after) = (of.before, of.after);
                let range = |of: Option<RunRange>| {
                    of.map_or_else(|| words::NONE.to_owned(), |of| words::range(of, metric.unit()))
                };
                let (before, after) = (range(before), range(after));
                let (change, verdict) = (words::change(of), words::verdict(of));
                Outcome::Pass(format!("{before} before, {after} after ({change}): {verdict}"))
            }
            None => {
                let figures = view.report.figures(metric);
                match figures.as_deref().and_then(RunRange::of) {
                    Some(range) => Outcome::Pass(words::range(range, metric.unit())),
                    None => {
                        let why = view.report.unobserved.get(&metric).map(String::as_str);
                        let why = why.unwrap_or("the report does not have it");
                        Outcome::Skipped(format!("not observed, {why}"))
                    }
                }
            }
        };
        Case { class: "metrics", name: metric.name().to_owned(), outcome }
    })
}

/// Text for an element or an attribute. XML has no way at all to write most
/// control characters, so they are shown as elsewhere.
fn xml(text: &str) -> String {
    let mut out = String::new();
    for c in Escaped(text.as_bytes()).to_string().chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
