//! The only writers. A sink takes events, lays them out with `render`, and
//! writes them in large pieces.

mod buffer;
mod json_lines;
mod raw_recording;
mod readers;
pub mod session;
mod terminal;

pub use json_lines::JsonLines;
pub use raw_recording::RawRecording;
pub use readers::{NewReader, Place, Readers, Standing};
pub use terminal::Terminal;

use std::io;

use crate::model::Event;

/// Takes events.
///
/// What was taken may wait in a buffer until [`Sink::flush`], also when the
/// sink is dropped. A reader that went away is an error of the kind
/// [`io::ErrorKind::BrokenPipe`]; it is for the caller to end quietly then.
pub trait Sink {
    /// Takes one event.
    ///
    /// # Errors
    /// The buffer was full, and writing it failed.
    fn event(&mut self, event: &Event<'_>) -> io::Result<()>;

    /// Writes out what waits.
    ///
    /// # Errors
    /// Writing failed; what was not written still waits.
    fn flush(&mut self) -> io::Result<()>;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{ErrorKind, Write};

    use jiff::tz::TimeZone;

    use super::*;
    use crate::{
        model::{Lost, Payload, WallTime},
        render::line::LineStyle,
    };

    const LOST: Event<'static> = Event {
        ktime_ns: 0,
        wall_time: WallTime { unix_ns: 0 },
        process: None,
        persona: None,
        persona_root: None,
        payload: Payload::Lost(Lost {
            exec: 7,
            fork: 0,
            exit: 0,
            signal: 0,
            oom_kill: 0,
            file_create: 0,
            file_write: 0,
            file_unlink: 0,
            file_path: 0,
            cgroup: 0,
            skipped: 0,
        }),
    };

    fn style() -> LineStyle {
        LineStyle { color: false, width: None, time_zone: TimeZone::UTC }
    }

    /// A pipe whose reader is gone.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_sink_writes_a_line_an_event_when_flushed() {
        let (mut json, mut text) = (Vec::new(), Vec::new());
        let sinks: [&mut dyn Sink; 2] =
            [&mut JsonLines::new(&mut json, "box"), &mut Terminal::new(&mut text, style())];
        for sink in sinks {
            sink.event(&LOST).unwrap();
            sink.event(&LOST).unwrap();
            sink.flush().unwrap();
        }
        for lines in [json, text] {
            let lines = String::from_utf8(lines).unwrap();
            assert_eq!(lines.lines().filter(|line| line.contains("lost")).count(), 2, "{lines}");
            assert!(lines.ends_with('\n'));
        }
    }

    #[test]
    fn a_closed_pipe_is_told_as_such() {
        let sinks: [&mut dyn Sink; 2] =
            [&mut JsonLines::new(Closed, "box"), &mut Terminal::new(Closed, style())];
        for sink in sinks {
            sink.event(&LOST).unwrap();
            assert_eq!(sink.flush().unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
    }

    #[test]
    fn a_full_buffer_reaches_a_closed_pipe_without_a_flush() {
        let mut sink = JsonLines::new(Closed, "box");
        let failed = (0..1000).find_map(|_| sink.event(&LOST).err()).unwrap();
        assert_eq!(failed.kind(), ErrorKind::BrokenPipe);
    }
}
