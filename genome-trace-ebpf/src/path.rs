//! Paths: a walk from a dentry up to the root of its mount namespace.
//!
//! Components are written leaf first, each ended by a NUL; userspace turns
//! them round. `bpf_d_path` would do it in one call, but only in fexit
//! programs on a few functions.

use core::ops::ControlFlow;

use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use genome_trace_common::{PATH_DEPTH_MAX, PATH_MAX, PATH_TRUNCATED, PATH_UNKNOWN};

use crate::{
    config::fact,
    kernel::Address,
    record::opaque,
    turns::{self, Turns},
};

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
    let Place { mount, dentry } = place;
    if dentry.is_null() {
        return PATH_UNKNOWN;
    }
    let root = root_of(mount);
    // Nothing but the top ends a path: it is cut off until that is reached.
    let mut walk = Walk { mount, dentry, root, buffer, start, len, flags: PATH_TRUNCATED };
    turns::take(PATH_DEPTH_MAX as u32, &mut walk);
    walk.flags
}

/// On the way from a dentry up.
struct Walk {
    mount: Address,
    dentry: Address,
    /// The root of `mount`.
    root: Address,
    buffer: *mut u8,
    start: u32,
    len: *mut u32,
    flags: u32,
}

#[inline(always)]
fn root_of(mount: Address) -> Address {
    mount.follow(fact!(mount_mnt).wrapping_add(fact!(vfsmount_root)))
}

impl Turns for Walk {
    /// One component, or one mount point.
    #[inline(always)]
    fn turn(&mut self, _number: u32) -> ControlFlow<()> {
        if self.dentry == self.root {
            let above = self.mount.follow(fact!(mount_parent));
            if above == self.mount {
                self.flags = 0;
                return ControlFlow::Break(());
            }
            self.dentry = self.mount.follow(fact!(mount_mountpoint));
            self.mount = above;
            self.root = root_of(above);
            return ControlFlow::Continue(());
        }
        // SAFETY: see `walk`.
        let at = unsafe { self.len.read_volatile() };
        let name = self.dentry.follow(fact!(dentry_name));
        let end = opaque(self.start as u64 + at as u64);
        if at >= PATH_MAX as u32 || end >= 2 * PATH_MAX as u64 {
            return ControlFlow::Break(());
        }
        // SAFETY: `end` is below twice PATH_MAX, and 256 bytes more fit behind
        // it; the helper checks the address of the name.
        let copied = unsafe {
            bpf_probe_read_kernel_str(
                self.buffer.add(end as usize).cast(),
                256,
                name.0 as *const core::ffi::c_void,
            )
        };
        if copied <= 0 {
            return ControlFlow::Break(());
        }
        // SAFETY: as above.
        unsafe { self.len.write_volatile(at + (copied as u32 & 0x1ff)) };
        let parent = self.dentry.follow(fact!(dentry_parent));
        // A file without a folder: a memfd, say.
        if self.dentry == parent {
            self.flags = 0;
            return ControlFlow::Break(());
        }
        self.dentry = parent;
        ControlFlow::Continue(())
    }
}
