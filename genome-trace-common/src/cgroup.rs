//! The record of a new cgroup, so that ids in later headers have a path even
//! where the cgroup is gone before userspace could look.

use crate::RecordHeader;

/// Fixed part; `path_len` bytes of the path below the hierarchy's root follow.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CgroupRecord {
    /// Speaks of the process that made the cgroup.
    pub header: RecordHeader,
    /// kernfs id of the new cgroup.
    pub cgroup_id: u64,
    /// `cgroup->root->hierarchy_id`; 0 is the unified hierarchy.
    pub hierarchy_id: u32,
    /// Bytes of path that follow, without NUL.
    pub path_len: u32,
}

const _: () = assert!(size_of::<CgroupRecord>() == 72 + 16);
