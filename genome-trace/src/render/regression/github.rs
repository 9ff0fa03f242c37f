//! The report as GitHub's workflow commands: annotations of a job. GitHub shows
//! ten of a sort, so all changes share one.

use std::fmt::Write as _;

use super::words;
use crate::{
    model::{RunRuleState, RunView},
    render::text::Escaped,
};

/// Names that are told in the annotation of what changed.
const NAMES_TOLD: usize = 20;

/// Writes the commands, one a line.
pub fn write_github(out: &mut Vec<u8>, view: RunView<'_>) {
    let mut text = String::new();
    for rule in view.gate {
        let title = match rule.state {
            RunRuleState::Broken => format!("genome-trace: {} is broken", escaped(&rule.rule)),
            RunRuleState::NotJudged => {
                format!("genome-trace: {} could not be judged", escaped(&rule.rule))
            }
            RunRuleState::Kept => continue,
        };
        command(&mut text, "error", &title, &escaped(&rule.found));
    }
    if let Some(changes) = changes(view) {
        let summary = words::changes(view).unwrap_or_default();
        command(&mut text, "notice", &format!("genome-trace: {summary}"), &changes);
    }
    out.extend_from_slice(text.as_bytes());
}

/// What changed, a line each; `None` where nothing did.
fn changes(view: RunView<'_>) -> Option<String> {
    let comparison = view.comparison?;
    let metrics = comparison.metrics.iter().filter(|of| of.verdict.is_change()).map(|of| {
        let unit = of.metric.unit();
        let (before, after) = (words::middle(of.before, unit), words::middle(of.after, unit));
        format!("{}: {before} before, {after} after ({})", of.metric, words::change(of))
    });
    let names: Vec<_> = comparison.names.iter().filter(|of| of.verdict.is_change()).collect();
    let told = names.iter().take(NAMES_TOLD).map(|of| {
        let (kind, name) = (of.kind.title(), escaped(&of.name));
        format!("{kind} {name}: {}", words::name_change(of))
    });
    let mut lines: Vec<String> = metrics.chain(told).collect();
    if let Some(more @ 1..) = names.len().checked_sub(NAMES_TOLD) {
        lines.push(format!("and {more} more"));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn command(out: &mut String, name: &str, title: &str, message: &str) {
    // Writing to a String does not fail.
    let _ = writeln!(out, "::{name} title={}::{}", property(title), data(message));
}

/// As GitHub's toolkit escapes the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As it escapes a property of one.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn escaped(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_line_whatever_is_in_it() {
        let mut out = String::new();
        command(&mut out, "error", "a:b,c%\r", "::error::x\n100%");
        assert_eq!(out, "::error title=a%3Ab%2Cc%25%0D::::error::x%0A100%25\n");
    }
}
