//! What every record begins with: which event, when, and whose.

/// Version of the record layout. Userspace refuses a record of another
/// version, because an object and a binary of different builds would
/// otherwise be read wrongly without a word.
pub const ABI_VERSION: u16 = 3;

/// Length of a `comm`, its NUL included (`TASK_COMM_LEN`, include/linux/sched.h).
pub const COMM_LEN: usize = 16;

/// Header flag and bit of a value in the `WATCHED` map: `--pid` asked for the
/// process or for an ancestor of it.
pub const WATCH_TREE: u32 = 1;
/// Likewise: its persona is one that was asked for, or is not decided yet.
pub const WATCH_CANDIDATE: u32 = 2;
/// The other bits of a value: they change with each exec, so that userspace
/// knows whether what it decided on is still there.
pub const WATCH_MARK: u32 = !0xff;

/// PIDs in one element of the `WATCH_MARKS` map: a byte each.
pub const WATCH_BLOCK: usize = 64;
/// Bit of such a byte: the process may be in the `WATCHED` map.
pub const MARK_WATCHED: u8 = 1;
/// The end of its standard error is kept in `STDERR_TAILS`.
pub const MARK_STDERR: u8 = 2;

/// What a record tells. The numbers are part of the ABI, and index
/// [`LostCounts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Kind {
    /// A process image was replaced.
    Exec = 1,
    /// A process was created (threads are not told).
    Fork = 2,
    /// The last thread of a process ended.
    Exit = 3,
    /// A signal that ends its receiver.
    Signal = 4,
    /// The OOM killer chose a victim.
    OomKill = 5,
    /// An open created a file.
    FileCreate = 6,
    /// Write calls counted for one process and file.
    FileWrite = 7,
    /// Unlinks counted for one process and path.
    FileUnlink = 8,
    /// A cgroup was created; tells its path for the id in later headers.
    CgroupMkdir = 9,
    /// The path that belongs to a [`crate::FileKey`] counted in this epoch.
    FilePath = 10,
    /// A process that was there when the tracer looked; comes out of the task
    /// iterator, never through a ring.
    Task = 11,
    /// A thread of such a process that is not its leader; likewise.
    Thread = 12,
}

impl Kind {
    /// One more than the largest number in use: the length of [`LostCounts`].
    pub const COUNT: usize = 13;

    /// Every kind, in the order of the numbers.
    pub const ALL: [Self; 12] = [
        Self::Exec,
        Self::Fork,
        Self::Exit,
        Self::Signal,
        Self::OomKill,
        Self::FileCreate,
        Self::FileWrite,
        Self::FileUnlink,
        Self::CgroupMkdir,
        Self::FilePath,
        Self::Task,
        Self::Thread,
    ];

    /// The kind that a record's number stands for, `None` for a number that
    /// this build does not know.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u16 == number)
    }
}

/// Records that a full ring, or a full map of counts, refused: indexed by
/// [`Kind`], kept per CPU, growing only.
pub type LostCounts = [u64; Kind::COUNT];

/// The first bytes of every record.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct RecordHeader {
    /// [`ABI_VERSION`].
    pub abi: u16,
    /// A [`Kind`]; a number, because bytes from a ring are not yet an enum.
    pub kind: u16,
    /// Length of the whole record in bytes, this header included.
    pub len: u32,
    /// `bpf_ktime_get_boot_ns`: nanoseconds since boot, suspend included.
    pub ktime_ns: u64,
    /// Process id in the initial PID namespace.
    pub tgid: u32,
    /// Thread id in the initial PID namespace.
    pub tid: u32,
    /// `task->group_leader->start_boottime`, nanoseconds since boot. With
    /// `tgid` it names one process for ever.
    pub start_time: u64,
    /// Id of the process' cgroup: kernfs id, in the unified hierarchy or, where
    /// the memory controller is on cgroup v1, in the memory hierarchy.
    pub cgroup_id: u64,
    /// `task->real_parent->tgid`, or [`crate::UNKNOWN_U32`].
    pub ppid: u32,
    /// Real user id in the initial user namespace, or [`crate::UNKNOWN_U32`].
    pub uid: u32,
    /// The process' value in the `WATCHED` map, 0 where it has none.
    pub flags: u32,
    /// No meaning yet; written as 0.
    pub reserved: u32,
    /// `task->group_leader->comm`, NUL-padded, not always UTF-8.
    pub comm: [u8; COMM_LEN],
}

const _: () = assert!(size_of::<RecordHeader>() == 72);
const _: () = assert!(core::mem::offset_of!(RecordHeader, comm) == 56);
