//! The whole report, for people.

use std::io;

use anstyle::{AnsiColor, Style};

use crate::{
    model::{Alert, AlertReport, AlertState, Severity, WallTime},
    render::{
        act::sentence,
        crashes::words::{UNATTRIBUTED, between, escaped},
        gaps,
        layout::{Page, figures, words},
        line::LineStyle,
        text::Printable,
        time::LocalDateTime,
        units::{Count, Elapsed},
    },
};

/// Columns of names, which anybody can make long.
const NAME_COLUMNS: usize = 24;
/// Alerts that are told in full where not all are asked for.
const TOLD: usize = 10;

/// Writes the report for people. With `is_all` each alert is told in full, else
/// those that go on and the latest.
pub fn write_text(out: &mut Vec<u8>, report: &AlertReport, is_all: bool, style: &LineStyle) {
    let mut page = Page { out, color: style.color, width: style.width };
    // Writing to a Vec does not fail.
    let _ = write(&mut page, report, is_all, style);
}

fn write(
    page: &mut Page<'_>,
    report: &AlertReport,
    is_all: bool,
    style: &LineStyle,
) -> io::Result<()> {
    let time = LocalDateTime(report.now, &style.time_zone);
    let (version, host) = (&report.version, escaped(&report.host));
    page.sentence(&format!("genome-trace {version} on {host}, {time}"), 0)?;
    if report.alerts.is_empty() {
        return no_alert(page, report, style);
    }
    page.sentence(&format!("Alerts{} {}", narrowed(report), from_to(report, style)), 0)?;
    gaps::write(
        page,
        &report.gaps,
        &style.time_zone,
        "Not all of that time was watched, so there may have been more:",
    )?;
    table(page, report, style)?;
    // Those that go on first; the sort keeps the order of the others.
    let mut told: Vec<&Alert> = report.alerts.iter().collect();
    told.sort_by_key(|alert| report.state(alert) != AlertState::GoesOn);
    let limit = if is_all { usize::MAX } else { TOLD };
    for alert in told.iter().take(limit) {
        block(page, report, alert, style)?;
    }
    match told.len().checked_sub(limit) {
        Some(more @ 1..) => {
            page.sentence("", 0)?;
            let more = Count(more as u64);
            page.sentence(&format!("and {more} more: --all tells each in full"), 0)
        }
        _ => Ok(()),
    }
}

fn from_to(report: &AlertReport, style: &LineStyle) -> String {
    let zone = &style.time_zone;
    let (from, until) = (report.range.from, report.range.until);
    let length = Elapsed(between(from, until));
    format!("from {} to {} ({length})", LocalDateTime(from, zone), LocalDateTime(until, zone))
}

/// What it is narrowed to, in words.
fn narrowed(report: &AlertReport) -> String {
    let mut text = String::new();
    if !report.personas.is_empty() {
        text.push_str(&format!(" of {}", escaped(&report.personas.join(" or "))));
    }
    if !report.rules.is_empty() {
        let rules: Vec<_> = report.rules.iter().map(|rule| rule.name()).collect();
        text.push_str(&format!(" of rule {}", rules.join(" or ")));
    }
    if let Some(severity) = report.severity {
        text.push_str(&format!(" of severity {severity} or worse"));
    }
    if report.open {
        text.push_str(" that are not over");
    }
    text
}

fn no_alert(page: &mut Page<'_>, report: &AlertReport, style: &LineStyle) -> io::Result<()> {
    let what = format!("No alert{} {}", narrowed(report), from_to(report, style));
    gaps::nothing(page, &what, &report.watched, &report.gaps, &style.time_zone)
}

fn whose(alert: &Alert) -> String {
    match (&alert.anomaly.persona, &alert.anomaly.process) {
        (Some(persona), _) => escaped(&persona.name),
        (None, Some(_)) => UNATTRIBUTED.to_owned(),
        (None, None) => "(machine)".to_owned(),
    }
}

fn lasted(alert: &Alert) -> Elapsed {
    Elapsed(between(alert.raised, alert.last))
}

fn state(report: &AlertReport, alert: &Alert) -> &'static str {
    match report.state(alert) {
        AlertState::GoesOn => "goes on",
        AlertState::Over => "over",
        AlertState::Unknown => "unknown",
    }
}

fn table(page: &mut Page<'_>, report: &AlertReport, style: &LineStyle) -> io::Result<()> {
    page.heading("Alerts, the latest first")?;
    let local = |time: WallTime| LocalDateTime(time, &style.time_zone).to_string();
    let rows: Vec<_> = report
        .alerts
        .iter()
        .map(|alert| {
            [
                local(alert.raised),
                alert.severity.name().to_owned(),
                alert.anomaly.rule.name().to_owned(),
                whose(alert),
                lasted(alert).to_string(),
                Count(alert.count).to_string(),
                state(report, alert).to_owned(),
            ]
        })
        .collect();
    page.table(
        [
            words("RAISED", usize::MAX),
            words("SEVERITY", usize::MAX),
            words("RULE", usize::MAX),
            words("PERSONA", NAME_COLUMNS),
            figures("FOR"),
            figures("FOUND"),
            words("STATE", usize::MAX),
        ],
        &rows,
    )
}

/// One alert in full. Its text and advice have names that are escaped already;
/// a store is a file, so what moves a cursor is taken out once more.
fn block(
    page: &mut Page<'_>,
    report: &AlertReport,
    alert: &Alert,
    style: &LineStyle,
) -> io::Result<()> {
    let raised = LocalDateTime(alert.raised, &style.time_zone);
    page.sentence("", 0)?;
    let color = match alert.severity {
        Severity::Warning => AnsiColor::Yellow,
        Severity::Error | Severity::Critical => AnsiColor::Red,
    };
    let head = format!(
        "{} {} of {}, {raised}, {}",
        alert.severity,
        alert.anomaly.rule,
        whose(alert),
        state(report, alert)
    );
    page.line(&head, Style::new().bold().fg_color(Some(color.into())))?;
    page.sentence(&format!("  {}", Printable(&alert.text)), 2)?;
    for advice in &alert.advice {
        page.sentence(&format!("  - {}", Printable(advice)), 4)?;
    }
    for act in report.acts_of(alert) {
        let time = LocalDateTime(act.wall_time, &style.time_zone);
        page.sentence(&format!("  {time}  {}", sentence(act)), 4)?;
    }
    Ok(())
}
