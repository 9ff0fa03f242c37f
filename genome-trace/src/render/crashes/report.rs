//! The whole report, for people.

use std::io;

use super::{
    block,
    words::{Ago, UNATTRIBUTED, between, escaped, kinds},
};
use crate::{
    model::{CrashReport, TimeRange, WallTime},
    render::{
        gaps,
        layout::{Page, figures, words},
        line::LineStyle,
        time::LocalDateTime,
        units::{Count, Elapsed},
    },
};

/// What there is not, rather than is not known.
const NONE: &str = "-";
/// Columns of names and ids, which anybody can make long.
const NAME_COLUMNS: usize = 24;
const ID_COLUMNS: usize = 14;

/// Writes the report for people. With `is_all` each crash is shown, else the
/// latest one of each persona.
pub fn write_text(out: &mut Vec<u8>, report: &CrashReport, is_all: bool, style: &LineStyle) {
    let mut page = Page { out, color: style.color, width: style.width };
    // Writing to a Vec does not fail.
    let _ = write(&mut page, report, is_all, style);
}

fn write(
    page: &mut Page<'_>,
    report: &CrashReport,
    is_all: bool,
    style: &LineStyle,
) -> io::Result<()> {
    let time = LocalDateTime(report.now, &style.time_zone);
    let (version, host) = (&report.version, escaped(&report.host));
    page.sentence(&format!("genome-trace {version} on {host}, {time}"), 0)?;
    let Some(range) = report.range else {
        for reported in &report.crashes {
            block::write(page, reported, report.now, style, true)?;
        }
        return advice(page, report);
    };
    if report.crashes.is_empty() {
        return no_crash(page, report, range, style);
    }
    let from_to = from_to(range.from, range.until, style);
    page.sentence(&format!("Crashes{} {from_to}", narrowed(report)), 0)?;
    gaps::write(
        page,
        &report.gaps,
        &style.time_zone,
        "Not all of that time was watched, so there may have been more:",
    )?;
    table(page, report)?;
    if is_all {
        for reported in &report.crashes {
            block::write(page, reported, report.now, style, false)?;
        }
    } else {
        for of in report.by_persona() {
            block::write(page, of.last, report.now, style, false)?;
        }
    }
    advice(page, report)
}

fn from_to(from: WallTime, until: WallTime, style: &LineStyle) -> String {
    let zone = &style.time_zone;
    let length = Elapsed(between(from, until));
    format!("from {} to {} ({length})", LocalDateTime(from, zone), LocalDateTime(until, zone))
}

/// What it is narrowed to, in words.
fn narrowed(report: &CrashReport) -> String {
    let mut text = String::new();
    if !report.personas.is_empty() {
        text.push_str(&format!(" of {}", escaped(&report.personas.join(" or "))));
    }
    if !report.kinds.is_empty() {
        let kinds: Vec<_> = report.kinds.iter().map(|kind| kind.name()).collect();
        text.push_str(&format!(" of kind {}", kinds.join(" or ")));
    }
    text
}

fn no_crash(
    page: &mut Page<'_>,
    report: &CrashReport,
    range: TimeRange,
    style: &LineStyle,
) -> io::Result<()> {
    let what = format!("No crash{} {}", narrowed(report), from_to(range.from, range.until, style));
    gaps::nothing(page, &what, &report.watched, &report.gaps, &style.time_zone)
}

fn table(page: &mut Page<'_>, report: &CrashReport) -> io::Result<()> {
    page.heading("Crashes by persona")?;
    let rows: Vec<_> = report
        .by_persona()
        .iter()
        .map(|of| {
            [
                of.genome_id.map_or_else(|| NONE.to_owned(), escaped),
                of.persona.map_or_else(|| UNATTRIBUTED.to_owned(), escaped),
                Count(of.count).to_string(),
                Ago(between(of.last.crash.wall_time, report.now)).to_string(),
                kinds(&of.by_kind),
            ]
        })
        .collect();
    page.table(
        [
            words("GENOME ID", ID_COLUMNS),
            words("PERSONA", NAME_COLUMNS),
            figures("CRASHES"),
            figures("LAST CRASH"),
            words("KINDS", usize::MAX),
        ],
        &rows,
    )
}

fn advice(page: &mut Page<'_>, report: &CrashReport) -> io::Result<()> {
    page.heading("Recommendations")?;
    if report.advice.is_empty() {
        return page.sentence("None: nothing of this says for sure what to change.", 0);
    }
    for advice in &report.advice {
        let persona = advice.persona.as_deref().map_or_else(|| UNATTRIBUTED.to_owned(), escaped);
        page.sentence(&format!("  {persona}: {}", escaped(&advice.text)), 2)?;
    }
    Ok(())
}
