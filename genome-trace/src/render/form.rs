//! An event in one of the forms in which a stream of them is written.

use super::{
    json,
    line::{self, LineStyle},
};
use crate::model::{Event, WallTime};

/// How a stream of events is laid out.
#[derive(Clone, Debug)]
pub enum Form {
    /// JSON lines.
    Json {
        /// This machine's name.
        host: String,
    },
    /// Lines for people.
    Line(LineStyle),
}

impl Form {
    /// Appends an event as a line, its newline included.
    pub fn write_event(&self, out: &mut Vec<u8>, event: &Event<'_>) {
        match self {
            Self::Json { host } => json::write_event(out, event, host),
            Self::Line(style) => line::write_event(out, event, style),
        }
    }

    /// Appends the line that stands for events which a reader missed, the last
    /// of them at `until`; its newline included.
    pub fn write_missed(&self, out: &mut Vec<u8>, events: u64, until: WallTime) {
        match self {
            Self::Json { host } => json::write_missed(out, events, until, host),
            Self::Line(style) => line::write_missed(out, events, until, style),
        }
    }
}
