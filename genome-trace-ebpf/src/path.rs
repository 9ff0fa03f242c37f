//! Paths: a walk from a dentry up to the root of its mount namespace.
//!
//! Components are written leaf first, each ended by a NUL; userspace turns
//! them round. `bpf_d_path` would do it in one call, but only in fexit
//! programs on a few functions.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use genome_trace_common::{PATH_DEPTH_MAX, PATH_MAX, PATH_TRUNCATED, PATH_UNKNOWN};

use crate::{config::fact, kernel::Address, record::opaque};

/// A `struct path`: where a name stands, and in which mount.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) mount: Address,
    pub(crate) dentry: Address,
}

impl Place {
    /// `file->f_path`.
    #[inline(always)]
    pub(crate) fn of_file(file: Address) -> Self {
        Self::of_path(file.field(fact!(file_path)))
    }

    /// A `struct path` at `path`.
    #[inline(always)]
    pub(crate) fn of_path(path: Address) -> Self {
        let vfsmount = path.follow(fact!(path_mnt));
        Self {
            mount: vfsmount.container(fact!(mount_mnt)),
            dentry: path.follow(fact!(path_dentry)),
        }
    }

    /// No place: its path is unknown.
    pub(crate) const NOWHERE: Self = Self { mount: Address(0), dentry: Address(0) };
}

/// Writes the components of `place` to `buffer`, from byte `start` on, and
/// their length to `len`; returns `PATH_*` flags. `start` is at most PATH_MAX,
/// and `buffer` has PATH_ROOM bytes more than that.
///
/// `len` is a field of the record in a map, not a variable: what comes from a
/// map is any number to the verifier, so that all ways through one turn of
/// the loop look alike to it, and it follows only one.
#[inline(always)]
pub(crate) fn walk(place: Place, buffer: *mut u8, start: u32, len: *mut u32) -> u32 {
    // SAFETY: callers pass the address of a field of a live map value.
    unsafe { len.write_volatile(0) };
    let Place { mut mount, mut dentry } = place;
    if dentry.is_null() {
        return PATH_UNKNOWN;
    }
    let root_of =
        |mount: Address| mount.follow(fact!(mount_mnt).wrapping_add(fact!(vfsmount_root)));
    let mut root = root_of(mount);
    for _ in 0..PATH_DEPTH_MAX {
        if dentry == root {
            let above = mount.follow(fact!(mount_parent));
            if above == mount {
                return 0;
            }
            dentry = mount.follow(fact!(mount_mountpoint));
            mount = above;
            root = root_of(mount);
            continue;
        }
        // SAFETY: as above.
        let at = unsafe { len.read_volatile() };
        let name = dentry.follow(fact!(dentry_name));
        let end = opaque(start as u64 + at as u64);
        if at >= PATH_MAX as u32 || end >= 2 * PATH_MAX as u64 {
            return PATH_TRUNCATED;
        }
        // SAFETY: `end` is below twice PATH_MAX, and 256 bytes more fit behind
        // it; the helper checks the address of the name.
        let copied = unsafe {
            bpf_probe_read_kernel_str(
                buffer.add(end as usize).cast(),
                256,
                name.0 as *const core::ffi::c_void,
            )
        };
        if copied <= 0 {
            return PATH_TRUNCATED;
        }
        // SAFETY: as above.
        unsafe { len.write_volatile(at + (copied as u32 & 0x1ff)) };
        let parent = dentry.follow(fact!(dentry_parent));
        // A file without a folder: a memfd, say.
        if dentry == parent {
            return 0;
        }
        dentry = parent;
    }
    PATH_TRUNCATED
}
