//! Writing a recording, piece by piece.

use std::collections::HashSet;

use genome_trace_common::{
    ABI_VERSION, FileCount, FileKey, Kind, OomRecord, RecordHeader, WATCH_TREE,
};

use super::{BYTE_ORDER, COUNT_LEN, FORMAT_VERSION, MAGIC, Tag, clean};
use crate::wire::{Counted, Surroundings, read::split_prefix};

/// Turns what comes out of the kernel into the bytes of a recording.
#[derive(Debug)]
pub struct Encoder {
    only_in_tree: bool,
    told: HashSet<u64>,
}

impl Encoder {
    /// Begins a recording in `out`. `only_in_tree` leaves out the records of
    /// all processes but those that `--pid` asked for, and their descendants.
    #[must_use]
    pub fn begin(out: &mut Vec<u8>, around: &impl Surroundings, only_in_tree: bool) -> Self {
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&BYTE_ORDER.to_ne_bytes());
        out.extend_from_slice(&FORMAT_VERSION.to_ne_bytes());
        out.extend_from_slice(&ABI_VERSION.to_ne_bytes());
        out.extend_from_slice(&around.page_size().to_ne_bytes());
        out.extend_from_slice(&around.wall_time(0).unix_ns.to_ne_bytes());
        out.extend_from_slice(&around.tracing_since().to_ne_bytes());
        Self { only_in_tree, told: HashSet::new() }
    }

    /// Appends a record of a ring; which ring, its kind says. One that cannot
    /// be read is left out: whoever passes it on fails on it anyway.
    pub fn record(&mut self, out: &mut Vec<u8>, record: &[u8], around: &impl Surroundings) {
        let Some((header, _)) = split_prefix::<RecordHeader>(record) else { return };
        if self.only_in_tree && header.flags & WATCH_TREE == 0 {
            return;
        }
        let Some(kind) = Kind::from_number(header.kind) else { return };
        self.cgroup(out, header.cgroup_id, around);
        if let (Kind::OomKill, Some((kill, _))) = (kind, split_prefix::<OomRecord>(record)) {
            self.cgroup(out, kill.memory_cgroup_id, around);
        }
        item(out, Tag::of(kind), |out| clean::append(out, record, around));
    }

    /// Appends a count.
    pub fn count(&mut self, out: &mut Vec<u8>, counted: &Counted<'_>, around: &impl Surroundings) {
        let named = counted.record.and_then(split_prefix::<RecordHeader>);
        if let Some((header, _)) = named {
            if self.only_in_tree && header.flags & WATCH_TREE == 0 {
                return;
            }
            self.cgroup(out, header.cgroup_id, around);
        }
        item(out, Tag::Count, |out| {
            let start = out.len();
            out.extend_from_slice(&counted.ktime_ns.to_ne_bytes());
            append_key(out, &counted.key);
            append_count(out, &counted.count);
            debug_assert_eq!(out.len() - start, COUNT_LEN);
            out.extend_from_slice(counted.record.unwrap_or_default());
            Some(())
        });
    }

    /// Tells a cgroup's path before it is first needed. One that is not known
    /// yet is asked for again.
    fn cgroup(&mut self, out: &mut Vec<u8>, id: u64, around: &impl Surroundings) {
        if self.told.contains(&id) {
            return;
        }
        let Some(path) = around.cgroup_path(id) else { return };
        item(out, Tag::Cgroup, |out| {
            out.extend_from_slice(&id.to_ne_bytes());
            out.extend_from_slice(path);
            Some(())
        });
        self.told.insert(id);
    }
}

/// Appends an item; nothing where its body came to nothing.
fn item(out: &mut Vec<u8>, tag: Tag, body: impl FnOnce(&mut Vec<u8>) -> Option<()>) {
    let start = out.len();
    out.push(tag as u8);
    out.extend_from_slice(&[0; 4]);
    let body_at = out.len();
    let whole = body(out).and_then(|()| u32::try_from(out.len() - body_at).ok());
    match (whole, out.get_mut(start + 1..body_at)) {
        (Some(len), Some(place)) => place.copy_from_slice(&len.to_ne_bytes()),
        _ => out.truncate(start),
    }
}

fn append_key(out: &mut Vec<u8>, key: &FileKey) {
    let FileKey { start_time, inode, name_hash, tgid, device, counted, generation } = *key;
    for value in [start_time, inode, name_hash] {
        out.extend_from_slice(&value.to_ne_bytes());
    }
    for value in [tgid, device, counted, generation] {
        out.extend_from_slice(&value.to_ne_bytes());
    }
}

fn append_count(out: &mut Vec<u8>, count: &FileCount) {
    for value in [count.calls, count.bytes] {
        out.extend_from_slice(&value.to_ne_bytes());
    }
}
