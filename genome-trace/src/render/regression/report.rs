//! The whole report, for people.

use std::io;

use anstyle::{AnsiColor, Style};

use super::words;
use crate::{
    model::{
        Run, RunComparison, RunMetric, RunNameKind, RunRange, RunReport, RunRuleState, RunVerdict,
        RunView,
    },
    render::{
        crashes::words::escaped,
        layout::Page,
        line::LineStyle,
        text::columns,
        units::{Bytes, Count},
    },
};

/// Names of a kind that are told one by one.
const NAMES_TOLD: usize = 20;
/// Executables and folders of a run that are told where there is nothing to
/// compare with.
const MOST_TOLD: usize = 5;

const CHANGED: Style = AnsiColor::Yellow.on_default().bold();
const BROKEN: Style = AnsiColor::Red.on_default().bold();

/// Writes the report for people, in 80 columns where there is no terminal;
/// there only names are longer, which are never cut then.
pub fn write_text(out: &mut Vec<u8>, view: RunView<'_>, style: &LineStyle) {
    let mut page = Page { out, color: style.color, width: style.width };
    // Writing to a Vec does not fail.
    let _ = write(&mut page, view);
}

fn write(page: &mut Page<'_>, view: RunView<'_>) -> io::Result<()> {
    head(page, view)?;
    match view.comparison {
        Some(comparison) => {
            changes(page, comparison)?;
            names(page, comparison)?;
        }
        None => {
            figures(page, view.report)?;
            for (run, number) in view.report.runs.iter().zip(1..) {
                let is_only = view.report.runs.len() == 1;
                lists(page, run, if is_only { None } else { Some(number) })?;
            }
        }
    }
    remarks(page, view)?;
    gate(page, view)
}

fn head(page: &mut Page<'_>, view: RunView<'_>) -> io::Result<()> {
    let report = view.report;
    page.line(&words::command(report), Style::new().bold())?;
    let ended = words::outcomes(report);
    match view.comparison {
        Some(of) => {
            let (before, after) = (words::runs(of.runs_before), words::runs(of.runs_after));
            let changes = words::changes(view).unwrap_or_default();
            sentence(page, &format!("{before} before, {after} after ({ended}): {changes}"))?;
            for note in &of.notes {
                sentence(page, &format!("Note: {}", escaped(note)))?;
            }
        }
        None => {
            sentence(page, &format!("{}, {ended}", words::runs(report.runs.len())))?;
        }
    }
    Ok(())
}

fn sentence(page: &mut Page<'_>, text: &str) -> io::Result<()> {
    let width = page.width;
    page.width = Some(width.unwrap_or(80));
    let result = page.sentence(text, 2);
    page.width = width;
    result
}

/// Rows whose cells after the first are figures, but for the last.
fn table<const N: usize>(
    page: &mut Page<'_>,
    head: [&str; N],
    rows: &[([String; N], Style)],
) -> io::Result<()> {
    let mut widths = head.map(columns);
    for (row, _) in rows {
        for (cell, width) in row.iter().zip(&mut widths) {
            *width = columns(cell).max(*width);
        }
    }
    writeln_empty(page)?;
    let head = (head.map(str::to_owned), Style::new().bold());
    for (row, style) in std::iter::once(&head).chain(rows) {
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
            let space = " ".repeat(width.saturating_sub(columns(cell)));
            let is_figure = index > 0 && (index + 1 < N || N == 2);
            line.push_str(&match is_figure {
                true => format!("{space}{cell}  "),
                false => format!("{cell}{space}  "),
            });
        }
        page.line(line.trim_end(), *style)?;
    }
    Ok(())
}

fn writeln_empty(page: &mut Page<'_>) -> io::Result<()> {
    io::Write::write_all(page.out, b"\n")
}

fn changes(page: &mut Page<'_>, comparison: &RunComparison) -> io::Result<()> {
    let rows: Vec<_> = comparison
        .metrics
        .iter()
        .map(|of| {
            let unit = of.metric.unit();
            let style = if of.verdict.is_change() { CHANGED } else { Style::new() };
            let cells = [
                of.metric.name().to_owned(),
                words::middle(of.before, unit),
                words::middle(of.after, unit),
                words::change(of),
                words::verdict(of),
            ];
            (cells, style)
        })
        .collect();
    table(page, ["METRIC", "BEFORE", "AFTER", "CHANGE", ""], &rows)?;
    let is_unsteady = |range: Option<RunRange>| range.is_some_and(|range| !range.is_steady());
    if comparison.metrics.iter().any(|of| is_unsteady(of.before) || is_unsteady(of.after)) {
        sentence(page, "~ is the middle of runs that differ")?;
    }
    Ok(())
}

fn names(page: &mut Page<'_>, comparison: &RunComparison) -> io::Result<()> {
    for kind in RunNameKind::ALL {
        let of_kind: Vec<_> = comparison.names_of(kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        page.heading(kind.title())?;
        for of in of_kind.iter().take(NAMES_TOLD) {
            let mark = match () {
                () if of.verdict == RunVerdict::Unsteady => '?',
                () if of.is_new() => '+',
                () if of.is_gone() => '-',
                () => '~',
            };
            let line = format!("  {mark} {}: {}", escaped(&of.name), words::name_change(of));
            page.line(&line, if of.verdict.is_change() { CHANGED } else { Style::new() })?;
        }
        more(page, of_kind.len(), NAMES_TOLD)?;
    }
    Ok(())
}

fn more(page: &mut Page<'_>, all: usize, told: usize) -> io::Result<()> {
    match all.checked_sub(told) {
        Some(more @ 1..) => page.line(&format!("    and {more} more"), Style::new()),
        _ => Ok(()),
    }
}

fn figures(page: &mut Page<'_>, report: &RunReport) -> io::Result<()> {
    let range = |metric| report.figures(metric).as_deref().and_then(RunRange::of);
    if report.runs.len() < 2 {
        let rows = RunMetric::ALL.map(|metric| {
            let figure = words::middle(range(metric), metric.unit());
            ([metric.name().to_owned(), figure], Style::new())
        });
        return table(page, ["METRIC", "FIGURE"], &rows);
    }
    let rows = RunMetric::ALL.map(|metric| {
        let unit = metric.unit();
        let cell = |of: fn(RunRange) -> u64| {
            let range = range(metric);
            range.map_or_else(|| words::NONE.to_owned(), |range| words::figure(of(range), unit))
        };
        let steady = match range(metric) {
            Some(range) if range.is_steady() => "steady",
            Some(_) => "",
            None => "not observed",
        };
        let cells = [
            metric.name().to_owned(),
            cell(|of| of.min),
            cell(|of| of.median),
            cell(|of| of.max),
            steady.to_owned(),
        ];
        (cells, Style::new())
    });
    table(page, ["METRIC", "LEAST", "MIDDLE", "MOST", ""], &rows)
}

/// What is worth telling of one run by name; `number` says which of several it
/// is, of which only what should not be is told.
fn lists(page: &mut Page<'_>, run: &Run, number: Option<usize>) -> io::Result<()> {
    let of_run = number.map(|number| format!(" in run {number}")).unwrap_or_default();
    if number.is_none() {
        let executables = run.executables.iter().map(|(name, of)| {
            let failed = match of.failed_exits.saturating_add(of.signaled) {
                0 => String::new(),
                failed => format!(", {} failed", Count(failed)),
            };
            (of.execs, format!("{}: {}{failed}", escaped(name), Count(of.execs)))
        });
        most(page, "Executables", executables.collect())?;
        let folders = run.folders.iter().map(|(name, of)| {
            let files = of.created.max(of.written_files).max(of.unlinked);
            let text = format!(
                "{}: {} created, {} unlinked, {} written, {}",
                escaped(name),
                Count(of.created),
                Count(of.unlinked),
                Count(of.written_files),
                Bytes(of.written_bytes)
            );
            (files, text)
        });
        most(page, "Files by folder", folders.collect())?;
    }
    if !run.crashes.is_empty() {
        page.heading(&format!("Crashes{of_run}"))?;
        for crash in run.crashes.iter().take(NAMES_TOLD) {
            let who = crash.comm.as_deref().map_or_else(|| "unknown".to_owned(), escaped);
            let line = format!("  {who} ({}): {}", crash.key.tgid, escaped(&crash.reason));
            page.line(&line, BROKEN)?;
        }
        more(page, run.crashes.len(), NAMES_TOLD)?;
    }
    if !run.left_running.is_empty() {
        page.heading(&format!("Left running{of_run}"))?;
        for (name, count) in run.left_running.iter().take(NAMES_TOLD) {
            page.line(&format!("  {}: {}", escaped(name), Count(*count)), Style::new())?;
        }
        more(page, run.left_running.len(), NAMES_TOLD)?;
    }
    let lost: Vec<_> = run.lost.iter().filter(|(_, count)| **count > 0).collect();
    if !lost.is_empty() {
        let lost = lost.iter().map(|(kind, count)| format!("{} {}", Count(**count), escaped(kind)));
        let lost = lost.collect::<Vec<_>>().join(", ");
        writeln_empty(page)?;
        sentence(page, &format!("Lost events{of_run}: {lost}; counts may be too low"))?;
    }
    Ok(())
}

fn most(page: &mut Page<'_>, title: &str, mut lines: Vec<(u64, String)>) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    lines.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    page.heading(title)?;
    for (_, line) in lines.iter().take(MOST_TOLD) {
        page.line(&format!("  {line}"), Style::new())?;
    }
    more(page, lines.len(), MOST_TOLD)
}

fn remarks(page: &mut Page<'_>, view: RunView<'_>) -> io::Result<()> {
    let remarks = words::remarks(view);
    let unjudged = view.comparison.map(|of| of.unjudged.as_slice()).unwrap_or_default();
    let names = unjudged.iter().filter(|(kind, _)| {
        // Where the metric is not judged either, that says it.
        !remarks.iter().any(|(metrics, _)| metrics.contains(&kind.metric()))
    });
    let names: Vec<_> = names
        .map(|(kind, why)| format!("{} by name: not told, {}", kind.name(), escaped(why)))
        .collect();
    if remarks.is_empty() && names.is_empty() {
        return Ok(());
    }
    writeln_empty(page)?;
    for (metrics, text) in remarks {
        sentence(page, &format!("{}: {}", words::names(&metrics), escaped(&text)))?;
    }
    names.iter().try_for_each(|text| sentence(page, text))
}

fn gate(page: &mut Page<'_>, view: RunView<'_>) -> io::Result<()> {
    let Some(gate) = words::gate(view) else { return Ok(()) };
    page.heading(&format!("Gate: {gate}"))?;
    let mut rules: Vec<_> = view.gate.iter().collect();
    rules.sort_by_key(|rule| match rule.state {
        RunRuleState::Broken => 0,
        RunRuleState::NotJudged => 1,
        RunRuleState::Kept => 2,
    });
    for rule in rules {
        let state = words::rule_state(rule.state);
        let line = format!("  {state:<10}  {}: {}", escaped(&rule.rule), escaped(&rule.found));
        let is_kept = rule.state == RunRuleState::Kept;
        page.line(&line, if is_kept { Style::new() } else { BROKEN })?;
    }
    Ok(())
}
