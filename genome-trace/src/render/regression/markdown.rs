//! The report as Markdown, for a comment on a change or a job's summary.

use std::fmt::Write as _;

use super::words;
use crate::{
    model::{RunMetric, RunMetricChange, RunNameKind, RunRange, RunRuleState, RunView},
    render::text::Escaped,
};

/// Names of a kind that are told one by one: a job's summary has 1 MiB at most.
const NAMES_TOLD: usize = 20;
/// Of a longer text the end is left out.
const CHARS_MAX: usize = 300;

/// Writes the document.
pub fn write_markdown(out: &mut Vec<u8>, view: RunView<'_>) {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write(&mut text, view);
    out.extend_from_slice(text.as_bytes());
}

fn write(out: &mut String, view: RunView<'_>) -> std::fmt::Result {
    let summary = words::gate(view).or_else(|| words::changes(view));
    let summary = summary.unwrap_or_else(|| words::outcomes(view.report));
    writeln!(out, "### {}: {summary}\n", code(&words::command(view.report)))?;
    for rule in view.gate {
        let mark = match rule.state {
            RunRuleState::Kept => "kept",
            RunRuleState::Broken => "**broken**",
            RunRuleState::NotJudged => "**not judged**",
        };
        writeln!(out, "- {mark} {}: {}", code(&rule.rule), code(&rule.found))?;
    }
    if !view.gate.is_empty() {
        writeln!(out)?;
    }
    match view.comparison {
        Some(comparison) => {
            let of = |is_change| {
                comparison.metrics.iter().filter(move |of| of.verdict.is_change() == is_change)
            };
            let (changed, same): (Vec<_>, Vec<_>) = (of(true).collect(), of(false).collect());
            if changed.is_empty() {
                writeln!(out, "No metric changed.\n")?;
            } else {
                table(out, &changed)?;
            }
            for kind in RunNameKind::ALL {
                let names: Vec<_> = comparison.names_of(kind).collect();
                if names.is_empty() {
                    continue;
                }
                writeln!(out, "**{}**\n", kind.title())?;
                for of in names.iter().take(NAMES_TOLD) {
                    writeln!(out, "- {}: {}", code(&of.name), words::name_change(of))?;
                }
                if let Some(more @ 1..) = names.len().checked_sub(NAMES_TOLD) {
                    writeln!(out, "- and {more} more")?;
                }
                writeln!(out)?;
            }
            let (before, after) = (comparison.runs_before, comparison.runs_after);
            writeln!(out, "{} before, {} after.\n", words::runs(before), words::runs(after))?;
            for note in &comparison.notes {
                writeln!(out, "- {}", code(note))?;
            }
            if !comparison.notes.is_empty() {
                writeln!(out)?;
            }
            if !same.is_empty() {
                writeln!(out, "<details><summary>Metrics that did not change</summary>\n")?;
                table(out, &same)?;
                writeln!(out, "</details>\n")?;
            }
        }
        None => {
            writeln!(out, "| metric | figure |\n|---|---:|")?;
            for metric in RunMetric::ALL {
                let range = view.report.figures(metric).as_deref().and_then(RunRange::of);
                let figure = range
                    .map_or_else(|| words::NONE.to_owned(), |of| words::range(of, metric.unit()));
                writeln!(out, "| {metric} | {figure} |")?;
            }
            writeln!(out)?;
        }
    }
    for (metrics, why) in words::remarks(view) {
        writeln!(out, "- {}: {}", words::names(&metrics), code(&why))?;
    }
    Ok(())
}

fn table(out: &mut String, rows: &[&RunMetricChange]) -> std::fmt::Result {
    writeln!(out, "| metric | before | after | change | |\n|---|---:|---:|---:|---|")?;
    for of in rows {
        let unit = of.metric.unit();
        let cell = |range: Option<RunRange>| {
            range.map_or_else(|| words::NONE.to_owned(), |range| words::range(range, unit))
        };
        let (before, after) = (cell(of.before), cell(of.after));
        let (change, verdict) = (words::change(of), words::verdict(of));
        writeln!(out, "| {} | {before} | {after} | {change} | {verdict} |", of.metric)?;
    }
    writeln!(out)
}

/// Text from outside, as code: there nothing has a meaning, neither marks nor
/// HTML nor the names of people.
fn code(text: &str) -> String {
    let mut text: String = Escaped(text.as_bytes()).to_string();
    if let Some((end, _)) = text.char_indices().nth(CHARS_MAX) {
        text.truncate(end);
        text.push('…');
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A mark at an edge, and space at both, would be lost.
    let is_bare = longest == 0 && !text.starts_with(' ') && !text.is_empty();
    let space = if is_bare { "" } else { " " };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn code_is_never_left() {
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("```"), "```` ``` ````");
        assert_eq!(code("\n# x"), "`\\n# x`");
        assert_eq!(code(""), "`  `");
        assert!(code(&"x".repeat(1000)).len() < 320);
    }
}
