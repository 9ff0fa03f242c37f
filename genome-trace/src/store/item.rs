//! What a store takes: owned copies, since events borrow from the ring.

use super::payload;
use crate::model::{
    Act, Alert, BaselineRow, Crash, Event, EventKind, Gap, Persona, Process, ProcessKey,
    ProcessRecord, RoomSample, Sample, WallTime,
};

/// Something to be kept.
#[derive(Debug)]
pub enum Item {
    /// An event. What it tells of its process goes into the process' record.
    Event(EventCopy),
    /// A process that was there before the recorder.
    Process(Box<ProcessRecord>),
    /// A crash.
    Crash(Box<Crash>),
    /// What an alert has become.
    Alert(Box<Alert>),
    /// What personas are used to, as far as it has changed.
    Baselines(Box<[BaselineRow]>),
    /// A number at one time.
    Sample(Box<Sample>),
    /// How full a file system was.
    Room(Box<RoomSample>),
    /// What was done about an alert.
    Act(Box<Act>),
    /// A stretch of time of which not all is known. An event of the kind
    /// `lost` makes none by itself: since when events may have been lost is
    /// known to the one who reads the counters.
    Gap(Box<Gap>),
}

impl Item {
    /// A copy of an event. Its environment is left out.
    #[must_use]
    pub fn event(event: &Event<'_>) -> Self {
        Self::Event(EventCopy::new(event))
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> ItemKind {
        match self {
            Self::Event(event) => ItemKind::Event(event.kind),
            Self::Process(_) => ItemKind::Process,
            Self::Crash(_) => ItemKind::Crash,
            Self::Alert(_) => ItemKind::Alert,
            Self::Baselines(_) => ItemKind::Baselines,
            Self::Sample(_) => ItemKind::Sample,
            Self::Room(_) => ItemKind::Room,
            Self::Act(_) => ItemKind::Act,
            Self::Gap(_) => ItemKind::Gap,
        }
    }

    /// When it happened; `None` for what is of no moment.
    pub(super) const fn wall_time(&self) -> Option<WallTime> {
        match self {
            Self::Event(event) => Some(event.wall_time),
            Self::Process(_) | Self::Baselines(_) => None,
            Self::Crash(crash) => Some(crash.wall_time),
            Self::Alert(alert) => Some(alert.last),
            Self::Sample(sample) => Some(sample.wall_time),
            Self::Room(room) => Some(room.wall_time),
            Self::Act(act) => Some(act.wall_time),
            Self::Gap(gap) => Some(gap.from),
        }
    }

    /// About how much memory it holds.
    pub(super) fn size_bytes(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let bytes = |bytes: &Option<Box<[u8]>>| bytes.as_ref().map_or(0, |bytes| bytes.len());
        size_of::<Self>()
            + match self {
                Self::Event(event) => event.bytes.len(),
                Self::Process(process) => {
                    size_of::<ProcessRecord>() + bytes(&process.argv) + bytes(&process.exe)
                }
                Self::Crash(crash) => {
                    let argv = crash.argv.iter().flatten().map(String::len).sum::<usize>();
                    let evidence = crash.evidence.iter().map(|line| line.text.len());
                    let files = crash.files.iter().flat_map(|files| &files.last_written);
                    let stack = crash.stack.iter().flatten();
                    size_of::<Crash>()
                        + argv
                        + crash.reason.len()
                        + evidence.sum::<usize>()
                        + files.chain(stack).map(String::len).sum::<usize>()
                        + text(&crash.stderr_tail)
                }
                Self::Alert(alert) => {
                    let advice = alert.advice.iter().map(String::len).sum::<usize>();
                    size_of::<Alert>() + alert.text.len() + advice
                }
                Self::Baselines(rows) => {
                    let names = |row: &BaselineRow| row.persona.name.len() + row.quantity.len();
                    let of_row = |row: &BaselineRow| {
                        size_of::<BaselineRow>() + row.record.len() + names(row)
                    };
                    rows.iter().map(of_row).sum()
                }
                Self::Sample(_) => size_of::<Sample>(),
                Self::Room(room) => size_of::<RoomSample>() + room.mount.len(),
                Self::Act(act) => {
                    let argv = act.process.argv.iter().flatten().map(String::len).sum::<usize>();
                    size_of::<Act>() + argv
                }
                Self::Gap(gap) => size_of::<Gap>() + text(&gap.note),
            }
    }
}

/// What an item is, for those who count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ItemKind {
    /// An event of a kind.
    Event(EventKind),
    /// A process.
    Process,
    /// A crash.
    Crash,
    /// An alert.
    Alert,
    /// What personas are used to.
    Baselines,
    /// A sample.
    Sample,
    /// How full a file system was.
    Room,
    /// What was done about an alert.
    Act,
    /// A gap.
    Gap,
}

impl ItemKind {
    /// The name in a gap's counts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event(kind) => kind.name(),
            Self::Process => "process",
            Self::Crash => "crash",
            Self::Alert => "alert",
            Self::Baselines => "baselines",
            Self::Sample => "sample",
            Self::Room => "room",
            Self::Act => "act",
            Self::Gap => "gap",
        }
    }
}

/// An event in one piece of memory: its numbers, and its bytes one after the
/// other.
#[derive(Debug)]
pub struct EventCopy {
    pub(super) kind: EventKind,
    pub(super) ktime_ns: u64,
    pub(super) wall_time: WallTime,
    pub(super) process: Option<ProcessNumbers>,
    bytes: Box<[u8]>,
    /// Where each part ends in `bytes`; `None` where it is unknown.
    ends: [Option<std::num::NonZeroU32>; PARTS],
}

/// The numbers of the process that an event happened to.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessNumbers {
    pub(super) key: ProcessKey,
    pub(super) tid: Option<u32>,
    pub(super) ppid: Option<u32>,
    pub(super) uid: Option<u32>,
}

/// A part of an event's bytes, in their order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The encoded payload.
    Payload,
    /// The path of a file or an executable.
    Name,
    /// The process' name.
    Comm,
    /// The path of its cgroup.
    Cgroup,
    /// The persona's name.
    Persona,
    /// The persona's genome id.
    GenomeId,
}

const PARTS: usize = 6;

impl EventCopy {
    fn new(event: &Event<'_>) -> Self {
        let process: Option<&Process<'_>> = event.process.as_ref();
        let persona: Option<&Persona> = event.persona;
        let others = [
            payload::name_of(&event.payload),
            process.and_then(|process| process.comm),
            process.and_then(|process| process.cgroup_path),
            persona.map(|persona| persona.name.as_bytes()),
            persona.and_then(|persona| persona.genome_id.as_deref()).map(str::as_bytes),
        ];
        // Enough for every payload but an exec's, whose arguments are added.
        const PAYLOAD_ROOM: usize = 64;
        let len: usize = others.iter().flatten().map(|part| part.len()).sum();
        let mut bytes = Vec::with_capacity(len + PAYLOAD_ROOM);
        // The ends count from 1, so that an empty part differs from none.
        let end = |bytes: &Vec<u8>| {
            u32::try_from(bytes.len()).ok().and_then(|len| std::num::NonZeroU32::new(len + 1))
        };
        payload::encode(&event.payload, &mut bytes);
        let mut ends = [None; PARTS];
        let mut slots = ends.iter_mut();
        if let Some(slot) = slots.next() {
            *slot = end(&bytes);
        }
        for (slot, part) in slots.zip(others) {
            if let Some(part) = part {
                bytes.extend_from_slice(part);
                *slot = end(&bytes);
            }
        }
        Self {
            kind: event.kind(),
            ktime_ns: event.ktime_ns,
            wall_time: event.wall_time,
            process: process.map(|process| ProcessNumbers {
                key: process.key,
                tid: process.tid,
                ppid: process.ppid,
                uid: process.uid,
            }),
            bytes: bytes.into_boxed_slice(),
            ends,
        }
    }

    /// One of its parts.
    pub(super) fn part(&self, part: Part) -> Option<&[u8]> {
        let index = part as usize;
        let end = (*self.ends.get(index)?)?.get() - 1;
        let before = self.ends.get(..index)?;
        let begin = before.iter().rev().find_map(|end| *end).map_or(0, |end| end.get() - 1);
        self.bytes.get(begin as usize..end as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Exec, Payload, Watch};

    fn exec<'a>(exe: Option<&'a [u8]>, comm: Option<&'a [u8]>, persona: &'a Persona) -> Event<'a> {
        Event {
            ktime_ns: 1,
            wall_time: WallTime { unix_ns: 2 },
            process: Some(Process {
                key: ProcessKey { tgid: 3, start_time: 4 },
                tid: None,
                ppid: None,
                uid: Some(5),
                comm,
                cgroup_path: None,
                watch: Watch::default(),
            }),
            persona: Some(persona),
            persona_root: None,
            payload: Payload::Exec(Exec {
                exe,
                exe_truncated: false,
                argv: None,
                argv_truncated: false,
                environment: None,
                environment_truncated: false,
            }),
        }
    }

    #[test]
    fn parts_are_read_back_and_an_empty_one_is_not_none() {
        let persona = Persona { name: "Judge".to_owned(), genome_id: None };
        let Item::Event(copy) = Item::event(&exec(Some(b"/bin/a"), Some(b""), &persona)) else {
            panic!("no event");
        };
        assert_eq!(copy.part(Part::Payload), Some(b"\0\0".as_slice()));
        assert_eq!(copy.part(Part::Name), Some(b"/bin/a".as_slice()));
        assert_eq!(copy.part(Part::Comm), Some(b"".as_slice()));
        assert_eq!(copy.part(Part::Cgroup), None);
        assert_eq!(copy.part(Part::Persona), Some(b"Judge".as_slice()));
        assert_eq!(copy.part(Part::GenomeId), None);
    }
}
