//! The whole report, for people.

use std::io;

use jiff::tz::TimeZone;

use super::words::{amount, interval, reason, supply};
use crate::{
    model::{PredictReport, Prediction},
    render::{
        crashes::words::{between, escaped},
        gaps,
        layout::{Page, figures, words},
        line::LineStyle,
        time::LocalDateTime,
        units::Elapsed,
    },
};

/// Writes the report for people.
pub fn write_text(out: &mut Vec<u8>, report: &PredictReport, style: &LineStyle) {
    let mut page = Page { out, color: style.color, width: style.width };
    // Writing to a Vec does not fail.
    let _ = write(&mut page, report, &style.time_zone);
}

fn write(page: &mut Page<'_>, report: &PredictReport, zone: &TimeZone) -> io::Result<()> {
    let (version, host) = (&report.version, escaped(&report.host));
    let now = LocalDateTime(report.now, zone);
    page.sentence(&format!("genome-trace {version} on {host}, {now}"), 0)?;
    let length = Elapsed(between(report.range.from, report.range.until));
    page.sentence(&format!("What runs out, by how the last {length} went"), 0)?;
    if let Some(reason) = &report.unknown_because {
        page.sentence(reason, 0)?;
    }
    gaps::write(page, &report.gaps, zone, "Not all of that time was watched:")?;
    let is_told = |of: &&Prediction| of.forecast.is_ok();
    let told: Vec<_> = report.predictions.iter().filter(is_told).collect();
    page.heading("Runs out")?;
    if told.is_empty() {
        page.sentence("Nothing that was looked at is on its way to its limit.", 0)?;
    } else {
        table(page, &told)?;
        page.sentence("\"Within\" holds nine times of ten as long as it goes on like that.", 0)?;
    }
    let rest: Vec<_> = report.predictions.iter().filter(|of| of.forecast.is_err()).collect();
    if !rest.is_empty() {
        page.heading("No prediction")?;
        untold(page, &rest)?;
    }
    if !report.advice.is_empty() {
        page.heading("What to do")?;
        for advice in &report.advice {
            let who = advice.persona.as_deref().map_or_else(|| "Machine".to_owned(), escaped);
            page.sentence(&format!("  {who}: {}", advice.text), 2)?;
        }
    }
    Ok(())
}

fn who(of: &Prediction) -> String {
    of.persona.as_ref().map_or_else(|| "Machine".to_owned(), |persona| escaped(&persona.name))
}

fn table(page: &mut Page<'_>, told: &[&Prediction]) -> io::Result<()> {
    let rows: Vec<_> = told
        .iter()
        .filter_map(|of| {
            let told = of.forecast.ok()?;
            Some([
                who(of),
                supply(&of.supply),
                Elapsed(told.reached_in_ns).to_string(),
                interval(&told),
                amount(of, of.used),
                amount(of, of.limit),
                format!("{}/h", amount(of, told.slope_per_hour)),
                Elapsed(told.window_ns).to_string(),
                format!("{:.0} %", told.explained * 100.0),
            ])
        })
        .collect();
    let columns = [
        words("WHO", usize::MAX),
        words("WHAT", usize::MAX),
        figures("FULL IN"),
        words("WITHIN", usize::MAX),
        figures("USED"),
        figures("LIMIT"),
        figures("RISES BY"),
        figures("SEEN FOR"),
        figures("EXPLAINED"),
    ];
    if page.fits(columns, &rows) {
        return page.table(columns, &rows);
    }
    for [who, what, reached, within, used, limit, slope, window, explained] in &rows {
        page.sentence(&format!("{who}: {what}, full in {reached}, within {within}"), 0)?;
        page.sentence(
            &format!(
                "{used} of {limit}, rises by {slope}, seen for {window}, {explained} explained"
            ),
            2,
        )?;
    }
    Ok(())
}

fn untold(page: &mut Page<'_>, rest: &[&Prediction]) -> io::Result<()> {
    let rows: Vec<_> = rest
        .iter()
        .filter_map(|of| {
            let why = of.forecast.err()?;
            Some([
                who(of),
                supply(&of.supply),
                amount(of, of.used),
                amount(of, of.limit),
                reason(why).to_owned(),
            ])
        })
        .collect();
    let columns = [
        words("WHO", usize::MAX),
        words("WHAT", usize::MAX),
        figures("USED"),
        figures("LIMIT"),
        words("WHY NOT", usize::MAX),
    ];
    if page.fits(columns, &rows) {
        return page.table(columns, &rows);
    }
    for [who, what, used, limit, why] in &rows {
        page.sentence(&format!("{who}: {what}, {used} of {limit}: {why}"), 2)?;
    }
    Ok(())
}
