//! System calls that no crate here wraps: bpf(2) commands beyond aya's, and
//! membarrier(2). The only file with raw calls.

use std::{
    fs::File,
    io,
    mem::size_of,
    os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd},
};

use super::program_stats::ProgramStats;

const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const BPF_MAP_LOOKUP_AND_DELETE_BATCH: libc::c_long = 25;
const BPF_LINK_CREATE: libc::c_long = 28;
const BPF_ENABLE_STATS: libc::c_long = 32;
const BPF_ITER_CREATE: libc::c_long = 33;
const BPF_PROG_TYPE_TRACING: u32 = 26;
const BPF_TRACE_FEXIT: u32 = 25;
const MEMBARRIER_CMD_GLOBAL: libc::c_int = 1;

/// Calls bpf(2).
///
/// # Safety
/// Every address in `attr` must point to memory that is valid for what the
/// command reads and writes there, for the length that `attr` states.
unsafe fn bpf<T>(command: libc::c_long, attr: &mut T) -> io::Result<libc::c_long> {
    let size = size_of::<T>();
    // SAFETY: `attr` is a live value of `size` bytes; the rest is the caller's.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// `union bpf_attr` for BPF_PROG_LOAD, as far as it is used
/// (include/uapi/linux/bpf.h).
#[derive(Default)]
#[repr(C)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
    prog_btf_fd: u32,
    func_info_rec_size: u32,
    func_info: u64,
    func_info_cnt: u32,
    line_info_rec_size: u32,
    line_info: u64,
    line_info_cnt: u32,
    attach_btf_id: u32,
}

/// Loads the smallest fexit program there is on the function with this BTF
/// id, and lets it go: whether the kernel accepts fexit at all shows only so.
///
/// # Errors
/// The kernel's refusal: EPERM where tracing of functions is off.
pub fn try_fexit(function: u32) -> io::Result<()> {
    // r0 = 0; exit
    let instructions: [u64; 2] = [0x0000_0000_0000_00b7, 0x0000_0000_0000_0095];
    let license = c"GPL";
    let mut attr = ProgLoad {
        prog_type: BPF_PROG_TYPE_TRACING,
        insn_cnt: 2,
        insns: instructions.as_ptr() as u64,
        license: license.as_ptr() as u64,
        expected_attach_type: BPF_TRACE_FEXIT,
        attach_btf_id: function,
        ..ProgLoad::default()
    };
    // SAFETY: the instructions and the licence outlive the call.
    let fd = unsafe { bpf(BPF_PROG_LOAD, &mut attr) }?;
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel has just given us this descriptor.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
    Ok(())
}

#[derive(Default)]
#[repr(C)]
struct MapBatch {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

/// Where a walk through a hash map stands between two batches.
#[derive(Default)]
pub struct BatchCursor {
    position: u64,
    started: bool,
}

/// Takes elements out of a hash map: up to the length of the buffers, both of
/// which it fills from the start. The second value says that none is left.
///
/// # Errors
/// The kernel's refusal; `ENOSPC` where a bucket holds more than the buffers.
pub fn take_batch<K: aya::Pod, V: aya::Pod>(
    map: BorrowedFd<'_>,
    cursor: &mut BatchCursor,
    keys: &mut [K],
    values: &mut [V],
) -> io::Result<(usize, bool)> {
    let mut next = 0u64;
    let position = cursor.position;
    let room = keys.len().min(values.len());
    let mut attr = MapBatch {
        in_batch: if cursor.started { (&raw const position) as u64 } else { 0 },
        out_batch: (&raw mut next) as u64,
        keys: keys.as_mut_ptr() as u64,
        values: values.as_mut_ptr() as u64,
        count: u32::try_from(room).unwrap_or(u32::MAX),
        map_fd: u32::try_from(map.as_raw_fd()).map_err(io::Error::other)?,
        ..MapBatch::default()
    };
    // SAFETY: `K` and `V` are the map's own types (the caller opened it with
    // them) and `count` is no more than either buffer holds; the positions
    // are u64, and the kernel uses 32 bits of them for hash maps.
    let result = unsafe { bpf(BPF_MAP_LOOKUP_AND_DELETE_BATCH, &mut attr) };
    cursor.position = next;
    cursor.started = true;
    let count = attr.count as usize;
    match result {
        Ok(_) => Ok((count, false)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok((count, true)),
        Err(error) => Err(error),
    }
}

#[derive(Default)]
#[repr(C)]
struct ObjectInfo {
    bpf_fd: u32,
    info_len: u32,
    info: u64,
}

/// What the kernel says of a program: `struct bpf_prog_info`
/// (include/uapi/linux/bpf.h), as far as this kernel has it.
pub struct ProgramInfo {
    words: [u64; Self::LEN / 8],
    told_bytes: usize,
}

impl ProgramInfo {
    /// More than any kernel has had so far.
    const LEN: usize = 256;

    /// Asks the kernel.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn read(program: BorrowedFd<'_>) -> io::Result<Self> {
        let mut words = [0u64; Self::LEN / 8];
        let mut attr = ObjectInfo {
            bpf_fd: u32::try_from(program.as_raw_fd()).map_err(io::Error::other)?,
            info_len: Self::LEN as u32,
            info: words.as_mut_ptr() as u64,
        };
        // SAFETY: `words` is a live buffer of the length stated, zeroed, so
        // that the kernel takes none of its fields for a request to copy more.
        unsafe { bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attr) }?;
        Ok(Self { words, told_bytes: attr.info_len as usize })
    }

    /// The u64 at this byte; `None` where this kernel's structure ends before.
    #[must_use]
    pub fn u64_at(&self, byte: usize) -> Option<u64> {
        if byte + size_of::<u64>() > self.told_bytes {
            return None;
        }
        self.words.get(byte / size_of::<u64>()).copied()
    }

    /// The u32 at this byte, which is the first of a u64's place.
    #[must_use]
    pub fn u32_at(&self, byte: usize) -> Option<u32> {
        if byte + size_of::<u32>() > self.told_bytes {
            return None;
        }
        let [a, b, c, d, ..] = self.words.get(byte / size_of::<u64>())?.to_ne_bytes();
        Some(u32::from_ne_bytes([a, b, c, d]))
    }

    /// One of that many bytes, each u64 of which is its own offset.
    #[cfg(test)]
    pub(super) fn numbered(told_bytes: usize) -> Self {
        Self { words: std::array::from_fn(|index| index as u64 * 8), told_bytes }
    }
}

/// Calls of a program that the kernel skipped because it was already running
/// on that CPU (`bpf_prog_info.recursion_misses`, since 5.12; 0 before).
///
/// # Errors
/// The kernel's refusal.
pub fn skipped_calls(program: BorrowedFd<'_>) -> io::Result<u64> {
    Ok(ProgramStats::from(&ProgramInfo::read(program)?).skipped_calls.unwrap_or(0))
}

/// `union bpf_attr` for BPF_ENABLE_STATS.
#[repr(C)]
struct EnableStats {
    kind: u32,
}

/// Lets the kernel measure the run time of every BPF program on the machine
/// (since 5.8), for as long as the descriptor is held.
///
/// # Errors
/// The kernel's refusal: EPERM without CAP_SYS_ADMIN, EINVAL before 5.8.
pub fn measure_run_time() -> io::Result<OwnedFd> {
    const BPF_STATS_RUN_TIME: u32 = 0;
    let mut attr = EnableStats { kind: BPF_STATS_RUN_TIME };
    // SAFETY: the command takes no addresses.
    let fd = unsafe { bpf(BPF_ENABLE_STATS, &mut attr) }?;
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `union bpf_attr` for BPF_LINK_CREATE, as far as it is used.
#[repr(C)]
struct LinkCreate {
    program: u32,
    target: u32,
    attach_type: u32,
    flags: u32,
}

/// Makes an iterator of a program that was loaded as one: each time it is
/// opened it runs once.
///
/// # Errors
/// The kernel's refusal: EINVAL before 5.8.
pub fn link_iterator(program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    const BPF_TRACE_ITER: u32 = 28;
    let program = u32::try_from(program.as_raw_fd()).map_err(io::Error::other)?;
    let mut attr = LinkCreate { program, target: 0, attach_type: BPF_TRACE_ITER, flags: 0 };
    // SAFETY: the command takes no addresses.
    let fd = unsafe { bpf(BPF_LINK_CREATE, &mut attr) }?;
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `union bpf_attr` for BPF_ITER_CREATE.
#[repr(C)]
struct IterCreate {
    link: u32,
    flags: u32,
}

/// Opens an iterator: to be read to its end, once.
///
/// # Errors
/// The kernel's refusal.
pub fn open_iterator(link: BorrowedFd<'_>) -> io::Result<File> {
    let link = u32::try_from(link.as_raw_fd()).map_err(io::Error::other)?;
    let mut attr = IterCreate { link, flags: 0 };
    // SAFETY: the command takes no addresses.
    let fd = unsafe { bpf(BPF_ITER_CREATE, &mut attr) }?;
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { File::from_raw_fd(fd) })
}

/// Waits until every BPF program that is running now has ended: the kernel
/// waits for an RCU grace period, and programs run inside RCU's read side.
///
/// # Errors
/// The kernel's refusal: EINVAL with nohz_full, ENOSYS without membarrier.
pub fn wait_for_programs() -> io::Result<()> {
    // SAFETY: the call takes no addresses.
    let result = unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Asks for unlimited locked memory. Kernels before 5.11 charge BPF maps to
/// that limit; later ones do not, so that a refusal is no error: where it
/// matters, creating the maps says so.
pub fn raise_memlock_limit() {
    let unlimited = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: `unlimited` is a valid rlimit that outlives the call.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const unlimited) };
}

/// `struct perf_event_attr` (include/uapi/linux/perf_event.h), its first
/// version and the room of the later ones.
#[repr(C)]
struct PerfEventAttr {
    kind: u32,
    size: u32,
    config: u64,
    rest: [u64; 6],
}

const PERF_TYPE_TRACEPOINT: u32 = 2;
const PERF_FLAG_FD_CLOEXEC: libc::c_ulong = 8;
const PERF_EVENT_IOC_ENABLE: libc::c_ulong = 0x2400;
const PERF_EVENT_IOC_SET_BPF: libc::c_ulong = 0x4004_2408;

/// Lets a program run at each hit of the tracepoint of this number, on every
/// processor, as long as the descriptor that it returns is held.
///
/// # Errors
/// The kernel's refusal.
pub fn attach_to_tracepoint(program: BorrowedFd<'_>, event_id: u64) -> io::Result<OwnedFd> {
    let attr = PerfEventAttr {
        kind: PERF_TYPE_TRACEPOINT,
        size: size_of::<PerfEventAttr>() as u32,
        config: event_id,
        rest: [0; 6],
    };
    // Every process, on one processor: a program hangs on the tracepoint
    // itself, so it runs on all of them.
    // SAFETY: `attr` outlives the call, and says how long it is.
    let fd = unsafe {
        libc::syscall(libc::SYS_perf_event_open, &raw const attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel has just given us this descriptor.
    let event = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: the request takes a descriptor by value.
    let set =
        unsafe { libc::ioctl(event.as_raw_fd(), PERF_EVENT_IOC_SET_BPF, program.as_raw_fd()) };
    if set < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the request takes no argument.
    let enabled = unsafe { libc::ioctl(event.as_raw_fd(), PERF_EVENT_IOC_ENABLE, 0) };
    if enabled < 0 { Err(io::Error::last_os_error()) } else { Ok(event) }
}

/// Does something that opens files if it can, and lets it open none. Until it
/// is done, no thread of this process can: to be called while there is one.
/// Where the limit cannot be set, files are opened as ever.
pub fn without_opening<T>(act: impl FnOnce() -> T) -> T {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` has room for one rlimit and outlives the call.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == 0;
    if !known {
        return act();
    }
    let _restored = OpenFiles(limit);
    let none = libc::rlimit { rlim_cur: 0, ..limit };
    // SAFETY: `none` is a valid rlimit that outlives the call.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const none) };
    act()
}

/// The limit of open files that is set again on drop. The hard limit stays
/// what it was, so that no privilege is needed.
struct OpenFiles(libc::rlimit);

impl Drop for OpenFiles {
    fn drop(&mut self) {
        // SAFETY: the field is a valid rlimit that outlives the call.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const self.0) };
    }
}
