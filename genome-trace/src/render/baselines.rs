//! What personas are used to: for people, as JSON and as CSV.

use std::io;

use serde::Serialize;

use super::{
    Figure,
    crashes::words::escaped,
    csv::line,
    layout::{Page, figures, words},
    line::LineStyle,
    summary_json::utc,
    time::{LocalDateTime, Utc},
};
use crate::model::{HabitReport, HabitsReport, Metric, Unit};

/// Version of the JSON.
const FORMAT: u32 = 1;
/// A name takes no more columns where there are few.
const NAME: usize = 24;

type Column = (&'static str, fn(&HabitReport) -> Option<String>);

/// Every column of the CSV: name and value.
const COLUMNS: [Column; 10] = [
    ("persona", |of| Some(of.persona.name.clone())),
    ("genome_id", |of| of.persona.genome_id.clone()),
    ("quantity", |of| Some(of.quantity.to_owned())),
    ("samples", |of| Some(of.samples.to_string())),
    ("centre", |of| Some(of.centre?.to_string())),
    ("spread", |of| Some(of.spread?.to_string())),
    ("peak", |of| Some(of.peak?.to_string())),
    ("since", |of| Some(Utc(of.since).to_string())),
    ("updated", |of| Some(Utc(of.updated).to_string())),
    ("speaks", |of| Some(of.speaks.to_string())),
];

#[derive(Serialize)]
struct Report<'a> {
    v: u32,
    version: &'a str,
    time: String,
    store: &'a str,
    samples_to_learn: u64,
    habits: Vec<Habit<'a>>,
}

#[derive(Serialize)]
struct Habit<'a> {
    persona: &'a str,
    genome_id: Option<&'a str>,
    quantity: &'a str,
    samples: u64,
    centre: Option<f64>,
    spread: Option<f64>,
    peak: Option<f64>,
    since: String,
    updated: String,
    speaks: bool,
}

/// Writes one object on one line.
pub fn write_json(out: &mut Vec<u8>, report: &HabitsReport) {
    let object = Report {
        v: FORMAT,
        version: &report.version,
        time: utc(report.now),
        store: &report.store,
        samples_to_learn: report.samples_to_learn,
        habits: report.habits.iter().map(habit).collect(),
    };
    // A Vec takes every byte, and none of the fields refuses.
    let _ = serde_json::to_writer(&mut *out, &object);
    out.push(b'\n');
}

/// Writes a line of names, and one for each habit.
pub fn write_csv(out: &mut Vec<u8>, report: &HabitsReport) {
    line(out, COLUMNS.iter().map(|(name, _)| Some((*name).to_owned())));
    for habit in &report.habits {
        line(out, COLUMNS.iter().map(|(_, value)| value(habit)));
    }
}

/// Writes the table for people.
pub fn write_text(out: &mut Vec<u8>, report: &HabitsReport, style: &LineStyle) {
    let mut page = Page { out, color: style.color, width: style.width };
    // Writing to a Vec does not fail.
    let _ = write(&mut page, report, style);
}

fn write(page: &mut Page<'_>, report: &HabitsReport, style: &LineStyle) -> io::Result<()> {
    let zone = &style.time_zone;
    if report.habits.is_empty() {
        let store = escaped(&report.store);
        return page.sentence(
            &format!(
                "Nothing was learned yet in the store {store}: a recorder learns from each look \
                 at a persona, once a second."
            ),
            0,
        );
    }
    page.sentence(
        &format!(
            "What personas are used to. A habit is gone by from {} samples on; PEAK is what one of \
             fifty is above.",
            report.samples_to_learn
        ),
        0,
    )?;
    let rows: Vec<[String; 9]> = report
        .habits
        .iter()
        .map(|of| {
            let unit = of.quantity.parse().map_or(Unit::Count, Metric::unit);
            let figure = |value: Option<f64>| {
                value.map_or_else(|| "-".to_owned(), |value| Figure { value, unit }.to_string())
            };
            let name = match &of.persona.genome_id {
                Some(id) => format!("{} ({})", escaped(&of.persona.name), escaped(id)),
                None => escaped(&of.persona.name),
            };
            [
                name,
                of.quantity.to_owned(),
                of.samples.to_string(),
                figure(of.centre),
                figure(of.spread),
                figure(of.peak),
                LocalDateTime(of.since, zone).to_string(),
                LocalDateTime(of.updated, zone).to_string(),
                if of.speaks { "yes" } else { "not yet" }.to_owned(),
            ]
        })
        .collect();
    page.table(
        [
            words("PERSONA", NAME),
            words("QUANTITY", NAME),
            figures("SAMPLES"),
            figures("CENTRE"),
            figures("SPREAD"),
            figures("PEAK"),
            words("SINCE", usize::MAX),
            words("UPDATED", usize::MAX),
            words("SPEAKS", usize::MAX),
        ],
        &rows,
    )
}

fn habit(of: &HabitReport) -> Habit<'_> {
    Habit {
        persona: &of.persona.name,
        genome_id: of.persona.genome_id.as_deref(),
        quantity: of.quantity,
        samples: of.samples,
        centre: of.centre,
        spread: of.spread,
        peak: of.peak,
        since: utc(of.since),
        updated: utc(of.updated),
        speaks: of.speaks,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use jiff::tz::TimeZone;

    use super::*;
    use crate::{
        model::{Persona, WallTime},
        render::documented::{fields, rows},
    };

    const PAGE: &str = include_str!("../../../docs/alerts.md");

    fn habit(quantity: &'static str, samples: u64, centre: Option<f64>) -> HabitReport {
        let genome_id = Some("a3f9".to_owned()).filter(|_| samples > 200);
        HabitReport {
            persona: Persona { name: "CodeExpert\u{1b}".to_owned(), genome_id },
            quantity,
            samples,
            centre,
            spread: centre.map(|centre| centre / 10.0),
            peak: centre.map(|centre| centre * 1.5),
            since: WallTime { unix_ns: 1_764_000_000_000_000_000 },
            updated: WallTime { unix_ns: 1_764_000_600_000_000_000 },
            speaks: samples >= 200,
        }
    }

    fn report() -> HabitsReport {
        HabitsReport {
            version: "0.1.0".to_owned(),
            now: WallTime { unix_ns: 1_764_000_700_000_000_000 },
            store: "/var/lib/genome-trace/genome-trace.db".to_owned(),
            samples_to_learn: 200,
            habits: vec![
                habit("rss_bytes", 600, Some(1.5e9)),
                habit("spawns_per_second", 600, Some(0.25)),
                habit("files_per_window", 2, Some(7.0)),
                habit("threads", 1, None),
            ],
        }
    }

    fn text(report: &HabitsReport, width: Option<usize>) -> String {
        let style = LineStyle { color: false, width, time_zone: TimeZone::UTC };
        let mut out = Vec::new();
        write_text(&mut out, report, &style);
        String::from_utf8(out).unwrap()
    }

    fn json() -> serde_json::Value {
        let mut out = Vec::new();
        write_json(&mut out, &report());
        assert!(out.ends_with(b"}\n"));
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn the_table() {
        insta::assert_snapshot!(text(&report(), Some(140)));
    }

    #[test]
    fn nothing_learned() {
        insta::assert_snapshot!(text(&HabitsReport { habits: Vec::new(), ..report() }, Some(80)));
    }

    #[test]
    fn the_csv() {
        let mut out = Vec::new();
        write_csv(&mut out, &report());
        insta::assert_snapshot!(String::from_utf8(out).unwrap().replace('\u{1b}', "\\e"));
    }

    #[test]
    fn the_page_tells_every_field() {
        let told = rows(PAGE, "Habits");
        let written: BTreeMap<String, bool> = fields([json()]);
        let names: BTreeSet<&str> = written.keys().map(String::as_str).collect();
        assert_eq!(told.keys().copied().collect::<BTreeSet<_>>(), names);
        for (name, is_nullable) in &written {
            assert_eq!(!told[name.as_str()].starts_with("never"), *is_nullable, "{name}");
        }
        for (name, _) in COLUMNS {
            assert!(written.contains_key(&format!("habits.{name}")), "{name}");
        }
    }
}
