//! An event as one line of JSON, schema version 1 (docs/events.md).

mod payload;
mod value;

use self::value::{Lossy, Object, Plain, Serialized};
use super::{alert::AlertFields, time::Utc};
use crate::model::{Event, Payload, WallTime};

/// Version of the schema: raised when a field changes its meaning, not when
/// one is added.
pub const SCHEMA_VERSION: u32 = 1;

/// Appends the event to `out`: one line, its newline included. Every field of
/// the schema is there; what is unknown is `null`. Bytes that are not UTF-8
/// are written as U+FFFD.
pub fn write_event(out: &mut Vec<u8>, event: &Event<'_>, host: &str) {
    let kind = event.kind().name();
    let process = event.process.as_ref();
    let persona = event.persona;
    Object::append(out, |object| {
        object
            .field("v", SCHEMA_VERSION)
            .field("time", Plain(Utc(event.wall_time).text()))
            .field("host", host)
            .field("kind", kind)
            .field("persona", persona.map(|persona| persona.name.as_str()))
            .field("genome_id", persona.and_then(|persona| persona.genome_id.as_deref()))
            .field("tgid", process.map(|process| process.key.tgid))
            .field("tid", process.and_then(|process| process.tid))
            .field("ppid", process.and_then(|process| process.ppid))
            .field("start_time", process.map(|process| process.key.start_time))
            .field("comm", process.and_then(|process| process.comm).map(Lossy))
            .field("uid", process.and_then(|process| process.uid))
            .field("cgroup_path", process.and_then(|process| process.cgroup_path).map(Lossy));
        match &event.payload {
            Payload::Alert(alert) => {
                object.field(kind, Serialized(&AlertFields::of(alert)));
            }
            payload => object.object(kind, |fields| payload::write(fields, payload)),
        }
    });
    out.push(b'\n');
}

/// Appends the line that stands for events which a reader of a recorder missed,
/// its newline included; it is no event, and has a kind of its own.
pub fn write_missed(out: &mut Vec<u8>, events: u64, until: WallTime, host: &str) {
    Object::append(out, |object| {
        object
            .field("v", SCHEMA_VERSION)
            .field("time", Plain(Utc(until).text()))
            .field("host", host)
            .field("kind", "missed")
            .object("missed", |fields| {
                fields.field("events", events);
            });
    });
    out.push(b'\n');
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod documented;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
