//! Lines on standard error: for a terminal, or for the journal with a priority
//! (sd-daemon(3)). Only one of the two has something to do in a run.

use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};

use super::{Channel, Failure, Message};
use crate::model::{AlertChange, Severity};

/// A line where standard error is a terminal.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether lines are coloured by severity.
    pub color: bool,
}

impl Channel for Terminal {
    fn send(&mut self, message: &Message) -> Result<(), Failure> {
        if !io::stderr().is_terminal() {
            return Err(Failure::Absent("standard error is no terminal".to_owned()));
        }
        write(&terminal_line(message, self.color))
    }
}

/// A line where standard error is no terminal: in the journal, or in a file.
#[derive(Clone, Copy, Debug)]
pub struct Journal {
    /// Whether it is the journal, which takes a priority in front.
    pub has_priorities: bool,
}

impl Channel for Journal {
    fn send(&mut self, message: &Message) -> Result<(), Failure> {
        if io::stderr().is_terminal() {
            return Err(Failure::Absent("standard error is a terminal".to_owned()));
        }
        write(&journal_line(message, self.has_priorities))
    }
}

fn write(line: &str) -> Result<(), Failure> {
    // In one piece: others write there, too.
    io::stderr()
        .write_all(line.as_bytes())
        .map_err(|error| Failure::Lasting(format!("standard error cannot be written: {error}")))
}

pub(super) fn terminal_line(message: &Message, color: bool) -> String {
    let is_over = message.alert.change == AlertChange::Ended;
    let style = match message.alert.severity {
        _ if !color || is_over => Style::new(),
        Severity::Warning => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
        Severity::Error => Style::new().fg_color(Some(AnsiColor::Red.into())),
        Severity::Critical => Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
    };
    format!("{style}genome-trace: alert, {}{style:#}\n", message.line())
}

pub(super) fn journal_line(message: &Message, has_priorities: bool) -> String {
    // As syslog(3) has them: 6 is information, 4 a warning, 3 an error, 2 critical.
    let priority = match (message.alert.change, message.alert.severity) {
        (AlertChange::Ended, _) => 6,
        (_, Severity::Warning) => 4,
        (_, Severity::Error) => 3,
        (_, Severity::Critical) => 2,
    };
    let priority = if has_priorities { format!("<{priority}>") } else { String::new() };
    format!("{priority}genome-trace: alert, {}\n", message.line())
}
