//! Recordings: what a run took out of the kernel, to be decoded again later,
//! by tests and benchmarks that need neither root nor a kernel like the one
//! that it was taken on.
//!
//! A file begins with a head of 40 bytes, and items follow to its end. Numbers
//! are in the byte order of the machine, as the records themselves are; the
//! mark in the head tells readers of the other order to keep off.
//!
//! | bytes | head |
//! |---|---|
//! | 8 | `GTRECORD` |
//! | 4 | 0x01020304: the byte order |
//! | 2 | [`FORMAT_VERSION`] |
//! | 2 | [`genome_trace_common::ABI_VERSION`]: the layout of the records |
//! | 8 | size of a page in bytes |
//! | 8 | wall time at 0 on the boot clock, ns since 1970, signed |
//! | 8 | since when everything was seen, ns on the boot clock |
//!
//! An item is its tag (1 byte), the length of its body (4 bytes), and the body:
//!
//! | tag | body |
//! |---|---|
//! | 1 | a record of the lifecycle ring |
//! | 2 | a record of the I/O ring |
//! | 3 | a count: when it was taken (8 bytes, boot clock), `FileKey` (40), `FileCount` (16), and the record that named the file, where one arrived |
//! | 4 | a cgroup: its id (8 bytes) and its path |
//!
//! Records stand in the order in which they were passed on, each cgroup before
//! the first record that refers to it. So there is no list of the machine's
//! cgroups, and no number of a hierarchy is needed: `CgroupMkdir` records are
//! kept for the sake of their decoding, what they say is in items of their own.
//!
//! What may be secret, or holds for one machine only, is taken out before it is
//! written (`clean`): the environment, but for the two variables of personas,
//! and the addresses of kernel functions. Arguments and paths stay: a recording
//! is as private as the command lines in it.

mod clean;
mod encode;
mod read;

pub use encode::Encoder;
pub use read::{Context, Item, Recording, RecordingError};

use genome_trace_common::{FileCount, FileKey, Kind};

/// Version of the file's layout.
pub const FORMAT_VERSION: u16 = 1;

const MAGIC: &[u8; 8] = b"GTRECORD";
const BYTE_ORDER: u32 = 0x0102_0304;
const COUNT_LEN: usize = size_of::<u64>() + size_of::<FileKey>() + size_of::<FileCount>();

/// The first byte of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    Lifecycle = 1,
    Io = 2,
    Count = 3,
    Cgroup = 4,
}

impl Tag {
    fn from_number(number: u8) -> Option<Self> {
        [Self::Lifecycle, Self::Io, Self::Count, Self::Cgroup]
            .into_iter()
            .find(|tag| *tag as u8 == number)
    }

    /// The ring that records of this kind come from.
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::FileCreate | Kind::FilePath => Self::Io,
            _ => Self::Lifecycle,
        }
    }
}

#[cfg(test)]
mod tests;
