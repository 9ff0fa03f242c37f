//! `doctor`'s report, for people and as JSON.

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};

use super::{
    line::LineStyle,
    text::{Escaped, columns},
    units::Bytes,
};
use crate::model::{CheckState, Diagnosis, ProbeState, RouteState};

/// Columns in front of what was found.
const NOTE_COLUMN: usize = 24;
/// Columns in front of what a probe is for.
const PURPOSE_COLUMN: usize = 55;
/// Columns in front of why it is not attached.
const REASON_COLUMN: usize = 43;
/// Text with less room than this is left to the terminal to break.
const ROOM_MIN: usize = 16;

/// Writes the report as one JSON object on one line.
///
/// # Errors
/// None with a `Vec`; the writer's otherwise.
pub fn write_json(out: &mut Vec<u8>, diagnosis: &Diagnosis) -> io::Result<()> {
    serde_json::to_writer(&mut *out, diagnosis)?;
    out.push(b'\n');
    Ok(())
}

/// Writes the report for people.
pub fn write_text(out: &mut Vec<u8>, diagnosis: &Diagnosis, style: &LineStyle) {
    // Writing to a Vec does not fail.
    let _ = Report { out, color: style.color, width: style.width }.write(diagnosis);
}

struct Report<'a> {
    out: &'a mut Vec<u8>,
    color: bool,
    /// Columns of the terminal; `None` breaks nothing.
    width: Option<usize>,
}

impl Report<'_> {
    fn write(&mut self, diagnosis: &Diagnosis) -> io::Result<()> {
        let Diagnosis { version, host, kernel, arch, .. } = diagnosis;
        let host = Escaped(host.as_bytes());
        writeln!(self.out, "genome-trace {version} on {host}, Linux {kernel}, {arch}")?;
        self.heading("Machine")?;
        for check in &diagnosis.checks {
            self.mark(check.state)?;
            write!(self.out, "{:<15} ", check.name)?;
            self.note(NOTE_COLUMN, &check.found)?;
            if let Some(remedy) = &check.remedy {
                write!(self.out, "{:NOTE_COLUMN$}-> ", "")?;
                self.note(NOTE_COLUMN + 3, remedy)?;
            }
        }
        if !diagnosis.modes.is_empty() {
            self.heading("How files can be seen (--probe-mode)")?;
        }
        for mode in &diagnosis.modes {
            let selected = diagnosis.selected_mode.as_deref() == Some(mode.mode.as_str());
            self.mark(match mode.usable {
                Some(true) => CheckState::Ok,
                _ => CheckState::Gap,
            })?;
            let note = match (&mode.reason, selected) {
                (Some(reason), _) => reason.as_str(),
                (None, true) => "used",
                (None, false) => "works",
            };
            write!(self.out, "{:<15} ", mode.mode)?;
            self.note(NOTE_COLUMN, note)?;
        }
        if !diagnosis.probes.is_empty() {
            self.heading("Probes")?;
        }
        for probe in &diagnosis.probes {
            self.probe(probe)?;
        }
        let mode = diagnosis.write_routes.first().map(|route| route.mode.as_str());
        if let Some(mode) = mode {
            self.heading(&format!("Writes that are counted in {mode} mode"))?;
        }
        let of_mode = |route: &&RouteState| Some(route.mode.as_str()) == mode;
        for route in diagnosis.write_routes.iter().filter(of_mode) {
            self.mark(if route.counted { CheckState::Ok } else { CheckState::Gap })?;
            let note = match &route.reason {
                Some(reason) => format!("not counted: {reason}"),
                None => "counted".to_owned(),
            };
            write!(self.out, "{:<15} ", route.route)?;
            self.note(NOTE_COLUMN, &note)?;
        }
        self.heading("Rings")?;
        for ring in &diagnosis.rings {
            writeln!(self.out, "{:<8}{:<15} {}", "", ring.name, Bytes(ring.bytes))?;
        }
        let verdict = match &diagnosis.selected_mode {
            _ if !diagnosis.can_trace => {
                "genome-trace --follow cannot run here: see what failed above.".to_owned()
            }
            Some(mode) => format!("genome-trace --follow works here, files in {mode} mode."),
            None => "genome-trace --follow works here, without files.".to_owned(),
        };
        writeln!(self.out, "\n{verdict}")
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        let style = self.style(Style::new().bold());
        writeln!(self.out, "\n{style}{text}{style:#}")
    }

    fn mark(&mut self, state: CheckState) -> io::Result<()> {
        let (word, color) = match state {
            CheckState::Ok => ("ok", AnsiColor::Green),
            CheckState::Gap => ("gap", AnsiColor::Yellow),
            CheckState::Failed => ("FAILED", AnsiColor::Red),
        };
        let style = self.style(color.on_default());
        write!(self.out, "{style}{word:<6}{style:#}  ")
    }

    fn probe(&mut self, probe: &ProbeState) -> io::Result<()> {
        self.mark(if probe.reason.is_some() { CheckState::Gap } else { CheckState::Ok })?;
        let ProbeState { hook, target, purpose, verdict, .. } = probe;
        let what = format!("{hook}/{target}");
        write!(self.out, "{what:<34} {verdict:<11} ")?;
        let backups = match probe.backups {
            0 => String::new(),
            1 => " (and a backup)".to_owned(),
            backups => format!(" (and {backups} backups)"),
        };
        self.note(PURPOSE_COLUMN, &format!("{purpose}{backups}"))?;
        if let Some(reason) = &probe.reason {
            write!(self.out, "{:REASON_COLUMN$}", "")?;
            self.note(REASON_COLUMN, reason)?;
        }
        Ok(())
    }

    /// The end of a line of which so many columns are taken: broken between
    /// words where the terminal is too narrow, and continued below its start.
    fn note(&mut self, start: usize, text: &str) -> io::Result<()> {
        let room = self.width.and_then(|width| width.checked_sub(start));
        let Some(room) = room.filter(|room| *room >= ROOM_MIN) else {
            return writeln!(self.out, "{text}");
        };
        let mut used = 0;
        for word in text.split(' ') {
            let taken = columns(word);
            if used > 0 && used + 1 + taken > room {
                write!(self.out, "\n{:start$}", "")?;
                used = 0;
            } else if used > 0 {
                write!(self.out, " ")?;
                used += 1;
            }
            write!(self.out, "{word}")?;
            used += taken;
        }
        writeln!(self.out)
    }

    fn style(&self, style: Style) -> Style {
        if self.color { style } else { Style::new() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::{Check, ModeState, RingState};

    fn diagnosis() -> Diagnosis {
        let text = str::to_owned;
        Diagnosis {
            v: 1,
            version: text("0.1.0"),
            host: text("box"),
            kernel: text("6.12.1"),
            arch: text("x86_64"),
            can_trace: true,
            checks: vec![
                Check {
                    name: text("kernel"),
                    state: CheckState::Ok,
                    found: text("6.12.1"),
                    remedy: None,
                },
                Check {
                    name: text("CAP_SYSLOG"),
                    state: CheckState::Gap,
                    found: text("missing: to read kernel symbols"),
                    remedy: Some(text("run with sudo")),
                },
            ],
            modes: vec![
                ModeState {
                    mode: text("fexit"),
                    usable: Some(false),
                    reason: Some(text("the kernel refuses it: Operation not permitted")),
                },
                ModeState { mode: text("kprobe"), usable: Some(true), reason: None },
            ],
            selected_mode: Some(text("kprobe")),
            probes: vec![
                ProbeState {
                    program: text("vfs_write_enter"),
                    hook: text("kprobe"),
                    target: text("vfs_write"),
                    purpose: text("write, pwrite"),
                    verdict: text("attached"),
                    backups: 3,
                    verified_instructions: Some(1234),
                    reason: None,
                },
                ProbeState {
                    program: text("io_uring_complete"),
                    hook: text("tp_btf"),
                    target: text("io_uring_complete"),
                    purpose: text("io_uring writes"),
                    verdict: text("unavailable"),
                    backups: 0,
                    verified_instructions: None,
                    reason: Some(text("it does not tell the request")),
                },
            ],
            write_routes: vec![RouteState {
                route: text("mmap"),
                mode: text("kprobe"),
                counted: false,
                reason: Some(text("stores to memory make no call")),
            }],
            rings: vec![RingState { name: text("io"), bytes: 4 << 20 }],
        }
    }

    fn text(color: bool, width: Option<usize>) -> String {
        let mut out = Vec::new();
        let style = LineStyle { color, width, time_zone: jiff::tz::TimeZone::UTC };
        write_text(&mut out, &diagnosis(), &style);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_report_for_people() {
        insta::assert_snapshot!(text(false, None));
    }

    #[test]
    fn no_word_is_broken_on_a_narrow_terminal() {
        let narrow = text(false, Some(60));
        // What a probe is for has no room there, and is left as it is.
        let in_columns = narrow.lines().filter(|line| !line.contains("attached"));
        for line in in_columns.filter(|line| !line.contains("unavailable")) {
            assert!(columns(line) <= 60, "{line}");
        }
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&narrow), words(&text(false, None)));
        assert!(narrow.contains("the kernel refuses it: Operation not\n"), "{narrow}");
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let (plain, coloured) = (text(false, None), text(true, None));
        assert_ne!(plain, coloured);
        assert_eq!(anstyle_free(&coloured), plain);
    }

    /// Takes `ESC [ … m` out.
    fn anstyle_free(text: &str) -> String {
        let mut parts = text.split('\u{1b}');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
    }

    #[test]
    fn the_json_is_read_back() {
        let mut out = Vec::new();
        write_json(&mut out, &diagnosis()).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["can_trace"], true);
        assert_eq!(value["checks"][1]["state"], "gap");
        assert_eq!(value["modes"][0]["usable"], false);
    }
}
