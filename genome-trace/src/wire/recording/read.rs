//! Reading a recording. Nothing in the file is believed: it gives items, or
//! says what is wrong with it.

use std::fmt;

use genome_trace_common::{ABI_VERSION, FileCount, FileKey};
use rustc_hash::FxHashMap;

use super::{BYTE_ORDER, FORMAT_VERSION, MAGIC, Tag, clean};
use crate::{
    model::{MemoryConstraint, WallTime},
    wire::{
        Counted, Surroundings,
        read::{split_len, split_prefix},
    },
};

/// Why a file is no recording that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingError {
    /// It does not begin like one.
    NotARecording,
    /// It was made on a machine of the other byte order.
    ByteOrder,
    /// Its layout is of another version.
    Format(u16),
    /// Its records are of another version.
    Records(u16),
    /// What stands at this byte is no item, or is cut off.
    Item(usize),
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotARecording => f.write_str("this is no recording of genome-trace"),
            Self::ByteOrder => {
                f.write_str("the recording is of a machine of the other byte order: read it on one")
            }
            Self::Format(version) => write!(
                f,
                "the recording has format {version}, this build reads {FORMAT_VERSION}: record it \
                 again"
            ),
            Self::Records(version) => write!(
                f,
                "the recording has records of version {version}, this build reads {ABI_VERSION}: \
                 record it again"
            ),
            Self::Item(at) => {
                write!(f, "the recording is damaged or cut off at byte {at}: record it again")
            }
        }
    }
}

impl std::error::Error for RecordingError {}

/// Something that was passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A record of the lifecycle ring.
    Lifecycle(&'a [u8]),
    /// A record of the I/O ring.
    Io(&'a [u8]),
    /// A count.
    Count(Counted<'a>),
}

/// What the records of a recording refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    page_size: u64,
    wall_at_boot_ns: i64,
    tracing_since: u64,
    cgroups: FxHashMap<u64, Box<[u8]>>,
}

impl Surroundings for Context {
    fn wall_time(&self, ktime_ns: u64) -> WallTime {
        let boot = i64::try_from(ktime_ns).unwrap_or(i64::MAX);
        WallTime { unix_ns: boot.saturating_add(self.wall_at_boot_ns) }
    }

    fn cgroup_path(&self, id: u64) -> Option<&[u8]> {
        self.cgroups.get(&id).map(AsRef::as_ref)
    }

    fn oom_constraint(&self, stack: &[u64]) -> Option<MemoryConstraint> {
        clean::constraint(stack)
    }

    fn page_size(&self) -> u64 {
        self.page_size
    }

    fn tracing_since(&self) -> u64 {
        self.tracing_since
    }
}

/// A recording that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording<'a> {
    /// What its records refer to.
    pub context: Context,
    /// What was passed on, in that order.
    pub items: Vec<Item<'a>>,
}

impl<'a> Recording<'a> {
    /// Reads a whole file. Its records may still be such as cannot be decoded:
    /// the decoder says so.
    ///
    /// # Errors
    /// Where it is no recording, one of another version, or damaged.
    pub fn parse(file: &'a [u8]) -> Result<Self, RecordingError> {
        let (mut context, mut rest) = head(file)?;
        let mut items = Vec::new();
        while !rest.is_empty() {
            let damaged = RecordingError::Item(file.len() - rest.len());
            let (tag, body, after) = split_item(rest).ok_or(damaged)?;
            rest = after;
            match tag {
                Tag::Lifecycle => items.push(Item::Lifecycle(body)),
                Tag::Io => items.push(Item::Io(body)),
                Tag::Count => items.push(Item::Count(counted(body).ok_or(damaged)?)),
                Tag::Cgroup => {
                    let (id, path) = split_prefix::<u64>(body).ok_or(damaged)?;
                    context.cgroups.insert(id, path.into());
                }
            }
        }
        Ok(Self { context, items })
    }
}

fn head(file: &[u8]) -> Result<(Context, &[u8]), RecordingError> {
    const NO: RecordingError = RecordingError::NotARecording;
    let rest = file.strip_prefix(MAGIC).ok_or(NO)?;
    let (byte_order, rest) = split_prefix::<u32>(rest).ok_or(NO)?;
    if byte_order != BYTE_ORDER {
        return Err(if byte_order.swap_bytes() == BYTE_ORDER {
            RecordingError::ByteOrder
        } else {
            NO
        });
    }
    let (format, rest) = split_prefix::<u16>(rest).ok_or(NO)?;
    if format != FORMAT_VERSION {
        return Err(RecordingError::Format(format));
    }
    let (abi, rest) = split_prefix::<u16>(rest).ok_or(NO)?;
    if abi != ABI_VERSION {
        return Err(RecordingError::Records(abi));
    }
    let (page_size, rest) = split_prefix(rest).ok_or(NO)?;
    let (wall_at_boot_ns, rest) = split_prefix(rest).ok_or(NO)?;
    let (tracing_since, rest) = split_prefix(rest).ok_or(NO)?;
    let cgroups = FxHashMap::default();
    Ok((Context { page_size, wall_at_boot_ns, tracing_since, cgroups }, rest))
}

fn split_item(bytes: &[u8]) -> Option<(Tag, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (len, rest) = split_prefix::<u32>(rest)?;
    let (body, rest) = split_len(rest, len)?;
    Some((Tag::from_number(*tag)?, body, rest))
}

fn counted(body: &[u8]) -> Option<Counted<'_>> {
    let (ktime_ns, rest) = split_prefix(body)?;
    let (start_time, rest) = split_prefix(rest)?;
    let (inode, rest) = split_prefix(rest)?;
    let (name_hash, rest) = split_prefix(rest)?;
    let (tgid, rest) = split_prefix(rest)?;
    let (device, rest) = split_prefix(rest)?;
    let (counted, rest) = split_prefix(rest)?;
    let (generation, rest) = split_prefix(rest)?;
    let (calls, rest) = split_prefix(rest)?;
    let (bytes, record) = split_prefix(rest)?;
    Some(Counted {
        key: FileKey { start_time, inode, name_hash, tgid, device, counted, generation },
        count: FileCount { calls, bytes },
        record: (!record.is_empty()).then_some(record),
        ktime_ns,
    })
}
