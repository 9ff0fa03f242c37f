//! The record of an OOM kill: the victim, its memory, and whose limit it was.

use crate::RecordHeader;

/// Return addresses of the kernel stack that a record carries.
pub const OOM_STACK_DEPTH: usize = 32;

/// A figure that this kernel did not let the program read.
pub const UNKNOWN_U64: u64 = u64::MAX;

/// The same for figures of 32 bits.
pub const UNKNOWN_U32: u32 = u32::MAX;

/// The OOM killer's choice. Every figure may be [`UNKNOWN_U64`].
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct OomRecord {
    /// Speaks of the victim.
    pub header: RecordHeader,
    /// `mm->total_vm` in pages.
    pub total_vm_pages: u64,
    /// Anonymous resident pages (`MM_ANONPAGES`), within the slack of the
    /// kernel's per-CPU counters.
    pub anon_rss_pages: u64,
    /// File-backed resident pages (`MM_FILEPAGES`), likewise.
    pub file_rss_pages: u64,
    /// Shared-memory resident pages (`MM_SHMEMPAGES`), likewise.
    pub shmem_rss_pages: u64,
    /// Limit in pages of the memory cgroup that was at its limit, or else of
    /// the nearest one that has a limit.
    pub memory_limit_pages: u64,
    /// That cgroup's usage in pages at the time.
    pub memory_usage_pages: u64,
    /// That cgroup's kernfs id.
    pub memory_cgroup_id: u64,
    /// The process whose allocation called the OOM killer.
    pub invoker_tgid: u32,
    /// `signal->oom_score_adj`, -1000 to 1000.
    pub oom_score_adj: i32,
    /// Frames of `stack` that are filled.
    pub stack_len: u32,
    /// 1 where `oom_score_adj` could be read.
    pub oom_score_adj_known: u32,
    /// The invoker's kernel stack, innermost first: it tells whether a memory
    /// cgroup or the machine ran out.
    pub stack: [u64; OOM_STACK_DEPTH],
}

const _: () = assert!(size_of::<OomRecord>() == 72 + 56 + 16 + OOM_STACK_DEPTH * 8);
