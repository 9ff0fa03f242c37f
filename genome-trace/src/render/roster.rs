//! The list of personas, for people and as JSON lines.

use std::io::Write as _;

use anstyle::Style;
use serde::Serialize;

use super::{
    text::{Escaped, columns},
    time::{LocalDateTime, Utc},
};
use crate::model::RosterEntry;

/// Version of the JSON.
const FORMAT: u32 = 1;
/// PIDs that are listed before the rest is only counted.
const PIDS_SHOWN: usize = 6;

#[derive(Serialize)]
struct Line<'a> {
    v: u32,
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    source: Option<&'static str>,
    decided_by: Option<String>,
    since: Option<String>,
    processes: Vec<Process<'a>>,
}

#[derive(Serialize)]
struct Process<'a> {
    tgid: u32,
    comm: std::borrow::Cow<'a, str>,
    inherited: bool,
}

/// Writes one JSON object a persona and line.
pub fn write_json(out: &mut Vec<u8>, entries: &[RosterEntry]) {
    for entry in entries {
        let persona = entry.persona.as_ref();
        let line = Line {
            v: FORMAT,
            persona: persona.map(|persona| persona.name.as_str()),
            genome_id: persona.and_then(|persona| persona.genome_id.as_deref()),
            source: entry.source.as_ref().map(crate::model::PersonaSource::name),
            decided_by: entry.source.as_ref().map(ToString::to_string),
            since: entry.since.map(|time| Utc(time).to_string()),
            processes: entry
                .processes
                .iter()
                .map(|process| Process {
                    tgid: process.tgid,
                    comm: String::from_utf8_lossy(&process.comm),
                    inherited: process.inherited,
                })
                .collect(),
        };
        // A Vec takes every byte, and none of the fields refuses.
        let _ = serde_json::to_writer(&mut *out, &line);
        out.push(b'\n');
    }
}

/// Writes the table for people.
pub fn write_table(
    out: &mut Vec<u8>,
    entries: &[RosterEntry],
    time_zone: &jiff::tz::TimeZone,
    color: bool,
) {
    if entries.iter().all(|entry| entry.persona.is_none()) {
        // Writing to a Vec does not fail.
        let _ = writeln!(out, "No process that can be looked at has a persona.");
        return;
    }
    let mut rows: Vec<[String; 6]> = vec![
        ["PERSONA", "GENOME ID", "PROCESSES", "SINCE", "DECIDED BY", "PIDS"].map(str::to_owned),
    ];
    for entry in entries.iter().filter(|entry| entry.persona.is_some()) {
        let persona = entry.persona.as_ref();
        let text = |text: Option<&str>| {
            text.map_or_else(|| "-".to_owned(), |text| Escaped(text.as_bytes()).to_string())
        };
        rows.push([
            text(persona.map(|persona| persona.name.as_str())),
            text(persona.and_then(|persona| persona.genome_id.as_deref())),
            entry.processes.len().to_string(),
            entry.since.map_or_else(
                || "unknown".to_owned(),
                |since| LocalDateTime(since, time_zone).to_string(),
            ),
            entry.source.as_ref().map_or_else(|| "-".to_owned(), |s| text(Some(&s.to_string()))),
            pids(entry),
        ]);
    }
    let widths: [usize; 5] = std::array::from_fn(|column| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell)).max().unwrap_or(0)
    });
    let bold = if color { Style::new().bold() } else { Style::new() };
    for (index, row) in rows.iter().enumerate() {
        let style = if index == 0 { bold } else { Style::new() };
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if let Some(width) = widths.get(column) {
                line.push_str(&" ".repeat(width - columns(cell).min(*width) + 2));
            }
        }
        // Writing to a Vec does not fail.
        let _ = writeln!(out, "{style}{}{style:#}", line.trim_end());
    }
    let unattributed: usize = entries
        .iter()
        .filter(|entry| entry.persona.is_none())
        .map(|entry| entry.processes.len())
        .sum();
    let plural = if unattributed == 1 { "process is" } else { "processes are" };
    let _ = writeln!(out, "\n{unattributed} more {plural} nobody's (unattributed).");
}

fn pids(entry: &RosterEntry) -> String {
    let mut text: Vec<_> =
        entry.processes.iter().take(PIDS_SHOWN).map(|p| p.tgid.to_string()).collect();
    if entry.processes.len() > PIDS_SHOWN {
        text.push(format!("and {} more", entry.processes.len() - PIDS_SHOWN));
    }
    text.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Persona, PersonaSource, RosterProcess, WallTime};

    fn entries() -> Vec<RosterEntry> {
        let process =
            |tgid, inherited| RosterProcess { tgid, comm: b"python3".to_vec(), inherited };
        vec![
            RosterEntry {
                persona: Some(Persona {
                    name: "Code\u{1b}[31mExpert".to_owned(),
                    genome_id: Some("a3f9".to_owned()),
                }),
                source: Some(PersonaSource::Rule { file: "/etc/p.toml".into(), line: 7 }),
                since: Some(WallTime { unix_ns: 1_795_261_895_123_456_789 }),
                processes: (1..=8).map(|tgid| process(tgid, tgid > 1)).collect(),
            },
            RosterEntry {
                persona: Some(Persona { name: "ssh".to_owned(), genome_id: None }),
                source: Some(PersonaSource::Unit),
                since: None,
                processes: vec![process(800, false)],
            },
            RosterEntry {
                persona: None,
                source: None,
                since: None,
                processes: vec![process(1, false), process(2, false)],
            },
        ]
    }

    #[test]
    fn the_table_for_people() {
        let mut out = Vec::new();
        write_table(&mut out, &entries(), &jiff::tz::TimeZone::UTC, false);
        insta::assert_snapshot!(String::from_utf8_lossy(&out));
    }

    #[test]
    fn the_json_lines() {
        let mut out = Vec::new();
        write_json(&mut out, &entries());
        insta::assert_snapshot!(String::from_utf8_lossy(&out));
    }
}
