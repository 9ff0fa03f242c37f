//! The record of a signal that ends its receiver.

use crate::{COMM_LEN, RecordHeader};

/// A process sent the signal, and `sender_tgid` and `sender_comm` name it.
/// Without this flag the kernel itself raised it.
pub const SIGNAL_SENDER_KNOWN: u32 = 1;

/// A signal that ends the process that the header speaks of.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct SignalRecord {
    /// Speaks of the receiver.
    pub header: RecordHeader,
    /// Signal number.
    pub signal: u32,
    /// `si_code` (sigaction(2)).
    pub code: i32,
    /// Sender's process id in the initial PID namespace.
    pub sender_tgid: u32,
    /// `SIGNAL_*` flags.
    pub flags: u32,
    /// Sender's `comm`, NUL-padded.
    pub sender_comm: [u8; COMM_LEN],
}

const _: () = assert!(size_of::<SignalRecord>() == 72 + 32);
