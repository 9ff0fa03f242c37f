//! What a reader and a recorder say to each other on the recorder's socket: a
//! line of JSON each, and then the events as lines, with notes between them.
//!
//! Both are of one version of genome-trace in nearly all cases; the version of
//! the protocol is there for the rest.

use serde::{Deserialize, Serialize};

use super::{EventKind, Usage, WallTime};

/// Version of the protocol: raised when one side would misunderstand the other.
pub const ATTACH_PROTOCOL: u32 = 1;

/// The longest line, in bytes without its newline, that either side takes
/// before the events.
pub const ATTACH_LINE_MAX: usize = 64 * 1024;

/// What a note begins with among the events' lines. No event's line does: JSON
/// begins with a brace, the line for people with the time.
const NOTE_MARK: u8 = 0x1e;
/// What a look at what everybody uses begins with, likewise.
const LOOK_MARK: u8 = 0x1d;

/// What a reader wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttachRequest {
    /// Its version of the protocol.
    pub v: u32,
    /// Only these kinds, by their names; empty for all.
    pub kinds: Vec<String>,
    /// Only processes of these names; empty for all.
    pub comms: Vec<String>,
    /// Only processes of these users; empty for all.
    pub uids: Vec<u32>,
    /// Only processes of these personas; empty for all.
    pub personas: Vec<String>,
    /// Only processes in these cgroups, or below them; empty for all.
    pub cgroups: Vec<String>,
    /// Leave out the reader's own events.
    pub exclude_self: bool,
    /// How the events are laid out.
    pub form: AttachForm,
    /// Tell among the events what everybody uses, once a second; and of the
    /// events only those of personas, and of nobody's process.
    #[serde(default)]
    pub looks: bool,
}

/// How events are laid out for a reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AttachForm {
    /// JSON lines.
    Json,
    /// Lines for people.
    Line {
        /// With colours.
        color: bool,
        /// Columns of the reader's terminal, where it has one.
        width: Option<usize>,
        /// The reader's time zone: its name, or a POSIX description; `None`
        /// for that of the machine.
        time_zone: Option<String>,
    },
}

/// What a recorder answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachAnswer {
    /// The events follow.
    Welcome(AttachWelcome),
    /// A sentence that says why not; the end follows.
    Error(String),
}

/// Who it is that the reader is attached to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachWelcome {
    /// Version of the recorder.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// Since when it records.
    pub since: WallTime,
    /// The mode in which it sees files; `None` where it sees none.
    pub mode: Option<String>,
}

/// What a recorder tells a reader among the events, beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttachNote {
    /// Events that this reader missed here: it was too slow.
    pub missed: u64,
    /// When the last of them happened; `None` where none was missed.
    pub missed_until: Option<WallTime>,
    /// What the recorder itself lost since the note before this one.
    pub lost: u64,
    /// Nothing more comes: the recorder ends, or the reader has said that it
    /// will.
    pub last: bool,
}

/// What a line says that is no event's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttachFailure {
    /// The other side's version of the protocol.
    OtherVersion(u64),
    /// It is nothing that belongs here; why.
    Nonsense(String),
}

/// A line is read in two steps, since another version may have other fields.
#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

#[derive(Serialize, Deserialize)]
struct AnswerLine {
    v: u32,
    #[serde(flatten)]
    answer: AttachAnswer,
}

impl AttachRequest {
    /// As a line, without its newline.
    ///
    /// # Errors
    /// Never in fact: nothing in it has no form in JSON.
    pub fn to_line(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// It is of another version, or no request at all.
    pub fn from_line(line: &[u8]) -> Result<Self, AttachFailure> {
        of_this_version(line)?;
        serde_json::from_slice(line).map_err(nonsense)
    }

    /// The kinds that are asked for.
    ///
    /// # Errors
    /// A name that is no kind's, in a sentence.
    pub fn event_kinds(&self) -> Result<Vec<EventKind>, String> {
        let kinds = self.kinds.iter().map(|kind| kind.parse::<EventKind>());
        kinds.collect::<Result<_, _>>().map_err(|unknown| unknown.to_string())
    }
}

impl AttachAnswer {
    /// As a line, without its newline.
    ///
    /// # Errors
    /// Never in fact: nothing in it has no form in JSON.
    pub fn to_line(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&AnswerLine { v: ATTACH_PROTOCOL, answer: self.clone() })
    }

    /// Reads a line.
    ///
    /// # Errors
    /// It is of another version, or no answer at all.
    pub fn from_line(line: &[u8]) -> Result<Self, AttachFailure> {
        of_this_version(line)?;
        serde_json::from_slice(line).map(|line: AnswerLine| line.answer).map_err(nonsense)
    }
}

impl AttachNote {
    /// Appends it as a line, its newline included.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(NOTE_MARK);
        // A Vec takes every byte, and nothing in it has no form in JSON.
        let _ = serde_json::to_writer(&mut *out, self);
        out.push(b'\n');
    }

    /// The note that a line is; `None` where it is an event's.
    ///
    /// # Errors
    /// It is marked as a note and is none.
    pub fn from_line(line: &[u8]) -> Option<Result<Self, AttachFailure>> {
        let (&NOTE_MARK, note) = line.split_first()? else { return None };
        Some(serde_json::from_slice(note).map_err(nonsense))
    }
}

/// Appends a look as a line, its newline included.
pub fn write_look(out: &mut Vec<u8>, usage: &Usage) {
    out.push(LOOK_MARK);
    // As for a note.
    let _ = serde_json::to_writer(&mut *out, usage);
    out.push(b'\n');
}

/// The look that a line is; `None` where it is something else.
///
/// # Errors
/// It is marked as a look and is none.
#[must_use]
pub fn look_from_line(line: &[u8]) -> Option<Result<Usage, AttachFailure>> {
    let (&LOOK_MARK, look) = line.split_first()? else { return None };
    Some(serde_json::from_slice(look).map_err(nonsense))
}

fn of_this_version(line: &[u8]) -> Result<(), AttachFailure> {
    let Versioned { v } = serde_json::from_slice(line).map_err(nonsense)?;
    if v == u64::from(ATTACH_PROTOCOL) { Ok(()) } else { Err(AttachFailure::OtherVersion(v)) }
}

fn nonsense(error: serde_json::Error) -> AttachFailure {
    AttachFailure::Nonsense(error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;
    use crate::model::MachineUsage;

    fn form() -> impl Strategy<Value = AttachForm> {
        let line = (any::<bool>(), option::of(0..10_000_usize), option::of(any::<String>()));
        prop_oneof![
            Just(AttachForm::Json),
            line.prop_map(|(color, width, time_zone)| AttachForm::Line { color, width, time_zone }),
        ]
    }

    prop_compose! {
        fn request()(
            kinds in vec(any::<String>(), 0..3),
            comms in vec(any::<String>(), 0..3),
            uids in vec(any::<u32>(), 0..3),
            personas in vec(any::<String>(), 0..3),
            cgroups in vec(any::<String>(), 0..3),
            exclude_self: bool,
            looks: bool,
            form in form(),
        ) -> AttachRequest {
            let v = ATTACH_PROTOCOL;
            AttachRequest { v, kinds, comms, uids, personas, cgroups, exclude_self, form, looks }
        }
    }

    fn answer() -> impl Strategy<Value = AttachAnswer> {
        let welcome = (any::<String>(), any::<u32>(), any::<i64>(), option::of(any::<String>()));
        prop_oneof![
            any::<String>().prop_map(AttachAnswer::Error),
            welcome.prop_map(|(version, pid, unix_ns, mode)| {
                let since = WallTime { unix_ns };
                AttachAnswer::Welcome(AttachWelcome { version, pid, since, mode })
            }),
        ]
    }

    proptest! {
        #[test]
        fn a_request_is_one_line_and_is_read_back(request in request()) {
            let line = request.to_line().unwrap();
            prop_assert!(!line.contains(&b'\n'));
            prop_assert_eq!(AttachRequest::from_line(&line), Ok(request));
        }

        #[test]
        fn so_is_an_answer(answer in answer()) {
            let line = answer.to_line().unwrap();
            prop_assert!(!line.contains(&b'\n'));
            prop_assert_eq!(AttachAnswer::from_line(&line), Ok(answer));
        }

        #[test]
        fn so_is_a_note(missed: u64, until in option::of(any::<i64>()), lost: u64, last: bool) {
            let missed_until = until.map(|unix_ns| WallTime { unix_ns });
            let note = AttachNote { missed, missed_until, lost, last };
            let mut line = Vec::new();
            note.write(&mut line);
            prop_assert_eq!(line.pop(), Some(b'\n'));
            prop_assert!(!line.contains(&b'\n'));
            prop_assert_eq!(AttachNote::from_line(&line), Some(Ok(note)));
        }

        #[test]
        fn any_bytes_are_read_without_harm(line: Vec<u8>) {
            // Chance does not make an object with `v`, a form and a filter.
            prop_assert!(AttachRequest::from_line(&line).is_err());
            prop_assert!(AttachAnswer::from_line(&line).is_err());
            let marked = line.first() == Some(&NOTE_MARK);
            prop_assert_eq!(AttachNote::from_line(&line).is_some(), marked);
        }

        #[test]
        fn a_cut_request_is_none(request in request(), share in 0.0..1.0) {
            let line = request.to_line().unwrap();
            let cut = line.get(..(line.len() as f64 * share) as usize).unwrap();
            prop_assert!(matches!(AttachRequest::from_line(cut), Err(AttachFailure::Nonsense(_))));
        }
    }

    #[test]
    fn a_look_is_one_line_and_is_read_back() {
        let usage = Usage {
            wall_time: WallTime { unix_ns: 5 },
            interval_ns: Some(7),
            machine: MachineUsage { processors: Some(2), ..MachineUsage::default() },
            personas: Vec::new(),
        };
        let mut line = Vec::new();
        write_look(&mut line, &usage);
        assert_eq!(line.pop(), Some(b'\n'));
        assert!(!line.contains(&b'\n'));
        assert_eq!(AttachNote::from_line(&line), None);
        assert_eq!(look_from_line(&line), Some(Ok(usage)));
        assert!(look_from_line(b"\x1d{").is_some_and(|look| look.is_err()));
        assert_eq!(look_from_line(b"{}"), None);
    }

    #[test]
    fn another_version_is_told_from_nonsense_whatever_else_it_says() {
        let line = br#"{"v":2,"wanted":["all"]}"#;
        assert_eq!(AttachRequest::from_line(line), Err(AttachFailure::OtherVersion(2)));
        assert_eq!(AttachAnswer::from_line(line), Err(AttachFailure::OtherVersion(2)));
        for line in [&b"GET / HTTP/1.1"[..], b"{}", b"{\"v\":-1}", b"\xff\xfe", b""] {
            assert!(matches!(AttachRequest::from_line(line), Err(AttachFailure::Nonsense(_))));
        }
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        // A condition that this side does not know would show too much.
        let line = br#"{"v":1,"kinds":[],"comms":[],"uids":[],"personas":[],"cgroups":[],
            "exclude_self":true,"form":"json","pids":[7]}"#;
        let Err(AttachFailure::Nonsense(why)) = AttachRequest::from_line(line) else {
            panic!("it was taken")
        };
        assert!(why.contains("pids"), "{why}");
    }

    #[test]
    fn a_kind_that_nobody_knows_is_named() {
        let request = AttachRequest {
            v: ATTACH_PROTOCOL,
            kinds: vec!["exec".to_owned(), "crash".to_owned()],
            comms: Vec::new(),
            uids: Vec::new(),
            personas: Vec::new(),
            cgroups: Vec::new(),
            exclude_self: true,
            form: AttachForm::Json,
            looks: false,
        };
        assert!(request.event_kinds().is_err_and(|why| why.contains("\"crash\"")));
        let known = AttachRequest { kinds: vec!["exec".to_owned()], ..request };
        assert_eq!(known.event_kinds(), Ok(vec![EventKind::Exec]));
    }
}
