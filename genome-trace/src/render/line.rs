//! The line for people: when, who, what, and the facts that matter.
//!
//! ```text
//! 11:31:35.123  python3            47392  exit         SIGKILL after 8.2 s, CPU 7.9 s, …
//! ```

mod facts;
mod severity;

use std::{fmt::Display, io::Write};

use anstyle::Style;
use jiff::tz::TimeZone;

use self::facts::Facts;
use super::{
    text::{Escaped, columns, fitting},
    time::LocalTime,
};
use crate::model::{Event, Payload, WallTime};

/// Columns of a `comm`: 16 bytes with its NUL.
const COMM_COLUMNS: usize = 15;
/// Columns of a PID: the kernel's highest is 4194304.
const PID_COLUMNS: usize = 7;
/// Columns of the longest kind, `file_create`.
const KIND_COLUMNS: usize = 11;
/// Columns from the start to the facts, where no name is too long.
const FACTS_COLUMN: usize = 12 + 2 + COMM_COLUMNS + 2 + PID_COLUMNS + 2 + KIND_COLUMNS + 2;
/// A command line is not cut to fewer columns, however narrow the terminal.
const COMMAND_COLUMNS_MIN: usize = 16;

/// How lines look.
#[derive(Clone, Debug)]
pub struct LineStyle {
    /// Colour by severity, with ANSI codes.
    pub color: bool,
    /// Columns of the terminal, to which the command line of an exec is cut;
    /// `None`, as on a pipe, cuts nothing.
    pub width: Option<usize>,
    /// Where the time of day is local.
    pub time_zone: TimeZone,
}

/// Appends the event to `out`: one line, its newline included. Names from
/// outside are escaped, so that the only control characters are that newline
/// and the codes of the colour.
pub fn write_event(out: &mut Vec<u8>, event: &Event<'_>, style: &LineStyle) {
    let color = severity::of(&event.payload).style();
    put(out, LocalTime(event.wall_time, &style.time_zone));
    put(out, "  ");
    let process = event.process.as_ref();
    match (event.persona, process.map(|process| process.comm)) {
        (Some(persona), _) => put_padded(out, Escaped(persona.name.as_bytes()), COMM_COLUMNS),
        (None, Some(Some(comm))) => put_padded(out, Escaped(comm), COMM_COLUMNS),
        (None, Some(None)) => put_padded(out, "unknown", COMM_COLUMNS),
        (None, None) => put_padded(out, "-", COMM_COLUMNS),
    }
    match process {
        Some(process) => put(out, format_args!("  {:>PID_COLUMNS$}  ", process.key.tgid)),
        None => put(out, format_args!("  {:>PID_COLUMNS$}  ", "-")),
    }
    if style.color {
        put(out, color.render());
    }
    put(out, format_args!("{:KIND_COLUMNS$}  ", event.kind().name()));
    let facts = out.len();
    put(out, Facts(event));
    if let (Payload::Exec(_), Some(width)) = (&event.payload, style.width) {
        let limit = width.saturating_sub(FACTS_COLUMN).max(COMMAND_COLUMNS_MIN);
        cut(out, facts, limit);
    }
    if style.color {
        put(out, color.render_reset());
    }
    out.push(b'\n');
}

/// The facts of an event alone, in words; names in it are escaped.
#[must_use]
pub fn facts(event: &Event<'_>) -> String {
    Facts(event).to_string()
}

/// Appends the line that stands for events which a reader of a recorder missed,
/// its newline included: in the background, for it is about the reader and not
/// about what happened.
pub fn write_missed(out: &mut Vec<u8>, events: u64, until: WallTime, style: &LineStyle) {
    let dimmed = Style::new().dimmed();
    let plural = if events == 1 { "" } else { "s" };
    put(out, LocalTime(until, &style.time_zone));
    put(out, "  ");
    put_padded(out, "-", COMM_COLUMNS);
    put(out, format_args!("  {:>PID_COLUMNS$}  ", "-"));
    if style.color {
        put(out, dimmed.render());
    }
    put(out, format_args!("{:KIND_COLUMNS$}  ", "missed"));
    put(out, format_args!("{events} event{plural} until here: this reader was too slow"));
    if style.color {
        put(out, dimmed.render_reset());
    }
    out.push(b'\n');
}

fn put(out: &mut Vec<u8>, what: impl Display) {
    // A Vec takes every byte.
    let _ = write!(out, "{what}");
}

fn put_padded(out: &mut Vec<u8>, what: impl Display, width: usize) {
    let start = out.len();
    put(out, what);
    let missing = width.saturating_sub(columns(text_from(out, start)));
    out.resize(out.len() + missing, b' ');
}

/// Cuts what stands from `start` on to `limit` columns and marks the cut.
fn cut(out: &mut Vec<u8>, start: usize, limit: usize) {
    let text = text_from(out, start);
    if fitting(text, limit).len() < text.len() {
        let kept = fitting(text, limit.saturating_sub(1)).len();
        out.truncate(start + kept);
        put(out, '…');
    }
}

fn text_from(out: &[u8], start: usize) -> &str {
    out.get(start..).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
