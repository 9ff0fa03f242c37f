//! An event as one line of JSON, schema version 1 (docs/events.md).

mod payload;
mod text;

use serde::ser::{Serialize, SerializeMap, Serializer};

use self::{
    payload::PayloadView,
    text::{Lossy, Shown},
};
use super::time::Utc;
use crate::model::Event;

/// Version of the schema: raised when a field changes its meaning, not when
/// one is added.
pub const SCHEMA_VERSION: u32 = 1;

/// Appends the event to `out`: one line, its newline included. Every field of
/// the schema is there; what is unknown is `null`. Bytes that are not UTF-8
/// are written as U+FFFD.
pub fn write_event(out: &mut Vec<u8>, event: &Event<'_>, host: &str) {
    // A Vec takes every byte, and the views refuse nothing.
    let _ = serde_json::to_writer(&mut *out, &EventView { event, host });
    out.push(b'\n');
}

struct EventView<'a> {
    event: &'a Event<'a>,
    host: &'a str,
}

impl Serialize for EventView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = self.event.kind().name();
        let process = self.event.process.as_ref();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("v", &SCHEMA_VERSION)?;
        map.serialize_entry("time", &Shown(Utc(self.event.wall_time)))?;
        map.serialize_entry("host", self.host)?;
        map.serialize_entry("kind", kind)?;
        let persona = self.event.persona;
        map.serialize_entry("persona", &persona.map(|persona| &persona.name))?;
        map.serialize_entry("genome_id", &persona.and_then(|p| p.genome_id.as_ref()))?;
        map.serialize_entry("tgid", &process.map(|process| process.key.tgid))?;
        map.serialize_entry("tid", &process.and_then(|process| process.tid))?;
        map.serialize_entry("ppid", &process.and_then(|process| process.ppid))?;
        map.serialize_entry("start_time", &process.map(|process| process.key.start_time))?;
        map.serialize_entry("comm", &process.and_then(|process| process.comm).map(Lossy))?;
        map.serialize_entry("uid", &process.and_then(|process| process.uid))?;
        map.serialize_entry(
            "cgroup_path",
            &process.and_then(|process| process.cgroup_path).map(Lossy),
        )?;
        map.serialize_entry(kind, &PayloadView::from(&self.event.payload))?;
        map.end()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod documented;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
