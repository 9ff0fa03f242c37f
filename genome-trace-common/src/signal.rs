//! The record of a signal that ends its receiver.

use crate::{COMM_LEN, RecordHeader};

/// A process sent the signal, and `sender_tgid` and `sender_comm` name it.
/// Without this flag the kernel itself raised it.
pub const SIGNAL_SENDER_KNOWN: u32 = 1;

/// Length of a frame: `struct bpf_stack_build_id` (include/uapi/linux/bpf.h).
pub const USER_FRAME_LEN: usize = 32;

/// Most frames that a record carries: what the kernel walks at most, unless
/// `kernel.perf_event_max_stack` was changed.
pub const USER_FRAMES_MAX: usize = 127;

/// Length of a frame's status, which it begins with.
pub const USER_FRAME_STATUS_LEN: usize = 4;

/// Length of a frame's build id, which comes next. A frame that the kernel
/// knows by its address alone has none; where that is the first, what stands
/// there is of the receiver's program: `mm_struct.start_code` (8 bytes), inode
/// number (8) and device (4). 0 is unknown.
pub const USER_FRAME_BUILD_ID_LEN: usize = 20;

/// Fixed part: a signal that ends the process that the header speaks of. After
/// it come the frames of the receiver's user stack, innermost first, to the
/// record's end; none where it was not asked for or could not be read.
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
    /// The receiver's resident pages, within the slack of the kernel's per-CPU
    /// counters, or [`crate::UNKNOWN_U64`].
    pub rss_pages: u64,
    /// `signal->nr_threads`: its threads, or [`crate::UNKNOWN_U32`].
    pub threads: u32,
    /// Its open descriptors, or [`crate::UNKNOWN_U32`].
    pub open_files: u32,
}

const _: () = assert!(size_of::<SignalRecord>() == 72 + 48);
