//! The whole report, for people.

use std::io;

use jiff::tz::TimeZone;

use crate::{
    model::{Change, CompareReport, Comparison, Difference, Summary, TimeRange},
    render::{
        Figure,
        crashes::words::{UNATTRIBUTED, between, escaped},
        gaps,
        history::read_by,
        layout::{Page, figures, words},
        line::LineStyle,
        time::LocalDateTime,
        units::{Bytes, Elapsed},
    },
};

/// What was not measured.
const NONE: &str = "-";
/// Executables of a persona that are told one by one.
const PATHS_TOLD: usize = 5;

/// Writes the report for people.
pub fn write_text(out: &mut Vec<u8>, report: &CompareReport, style: &LineStyle) {
    let mut page = Page { out, color: style.color, width: style.width };
    // Writing to a Vec does not fail.
    let _ = write(&mut page, report, &style.time_zone);
}

fn write(page: &mut Page<'_>, report: &CompareReport, zone: &TimeZone) -> io::Result<()> {
    let (version, host) = (&report.version, escaped(&report.host));
    let time = LocalDateTime(report.asked, zone);
    page.sentence(&format!("genome-trace {version} on {host}, {time}"), 0)?;
    page.sentence(&format!("Now:  {}", from_to(report.now, zone)), 0)?;
    page.sentence(&format!("Then: {}", from_to(report.then, zone)), 0)?;
    page.sentence(&totals(report), 0)?;
    gaps::write(page, &report.gaps, zone, "Not all of that time was watched:")?;
    for comparisons in report.comparisons.chunk_by(|a, b| a.persona == b.persona) {
        let Some(first) = comparisons.first() else { continue };
        page.heading(&first.persona.as_deref().map_or_else(|| "Machine".to_owned(), escaped))?;
        table(page, comparisons)?;
    }
    page.heading("What else changed")?;
    if report.differences.is_empty() {
        return page.sentence("Nothing that the store knows of.", 0);
    }
    for difference in &report.differences {
        page.sentence(&format!("  {}", told(difference)), 2)?;
    }
    Ok(())
}

fn from_to(range: TimeRange, zone: &TimeZone) -> String {
    let (from, until) = (LocalDateTime(range.from, zone), LocalDateTime(range.until, zone));
    format!("{from} to {until} ({})", Elapsed(between(range.from, range.until)))
}

fn totals(report: &CompareReport) -> String {
    let changes = [Change::Worse, Change::Improved, Change::Unchanged, Change::Unknown];
    let counts = changes.map(|change| {
        let count = report.comparisons.iter().filter(|of| of.change == change).count();
        format!("{count} {}", word(change))
    });
    format!("Figures: {}, {}", counts.join(", "), read_by(report.span))
}

const fn word(change: Change) -> &'static str {
    match change {
        Change::Worse => "WORSE",
        Change::Improved => "IMPROVED",
        Change::Unchanged => "UNCHANGED",
        Change::Unknown => "unknown",
    }
}

fn table(page: &mut Page<'_>, comparisons: &[Comparison]) -> io::Result<()> {
    let rows: Vec<_> = comparisons
        .iter()
        .map(|of| {
            let unit = of.metric.unit();
            let cell = |of: &Option<Summary>, value: fn(&Summary) -> f64| {
                let value = of.as_ref().map(value);
                value.map_or_else(|| NONE.to_owned(), |value| Figure { value, unit }.to_string())
            };
            [
                of.metric.title().to_owned(),
                cell(&of.then, |of| of.average),
                cell(&of.now, |of| of.average),
                of.percent.map_or_else(|| NONE.to_owned(), |of| format!("{of:+.1} %")),
                word(of.change).to_owned(),
                cell(&of.then, |of| of.p95),
                cell(&of.now, |of| of.p95),
            ]
        })
        .collect();
    page.table(
        [
            words("METRIC", usize::MAX),
            figures("AVG THEN"),
            figures("AVG NOW"),
            figures("CHANGE"),
            words("", usize::MAX),
            figures("P95 THEN"),
            figures("P95 NOW"),
        ],
        &rows,
    )
}

fn told(difference: &Difference) -> String {
    match difference {
        Difference::NewPersona(persona) => format!("{}: a new persona", escaped(persona)),
        Difference::GonePersona(persona) => {
            format!("{}: was there then, and is not now", escaped(persona))
        }
        Difference::GenomeIds { persona, now, then } => {
            let (now, then) = (ids(now), ids(then));
            format!("{}: genome id {now} now, {then} then", escaped(persona))
        }
        Difference::Executables { persona, now, then } => {
            let parts = [("ran now, not then:", now), ("ran then, not now:", then)];
            let parts = parts.into_iter().filter(|(_, of)| !of.is_empty());
            let parts: Vec<_> = parts.map(|(word, of)| format!("{word} {}", paths(of))).collect();
            format!("{}: {}", escaped(persona), parts.join("; "))
        }
        Difference::MemoryLimits { persona, now, then } => {
            let persona = persona.as_deref().map_or_else(|| UNATTRIBUTED.to_owned(), escaped);
            let (now, then) = (limits(now), limits(then));
            format!("{persona}: ran into memory limits of {now} now, {then} then")
        }
    }
}

fn ids(ids: &[String]) -> String {
    if ids.is_empty() { "none".to_owned() } else { escaped(&ids.join(" and ")) }
}

fn paths(paths: &[String]) -> String {
    let mut text = escaped(&paths.iter().take(PATHS_TOLD).cloned().collect::<Vec<_>>().join(", "));
    if let Some(more @ 1..) = paths.len().checked_sub(PATHS_TOLD) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn limits(limits: &[u64]) -> String {
    let texts: Vec<_> = limits.iter().map(|limit| Bytes(*limit).to_string()).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(" and ") }
}
