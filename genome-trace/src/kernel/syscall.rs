//! System calls that no crate here wraps: bpf(2) commands beyond aya's, and
//! membarrier(2). The only file with raw calls.

use std::{
    io,
    mem::size_of,
    os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd},
};

const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const BPF_MAP_LOOKUP_AND_DELETE_BATCH: libc::c_long = 25;
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

/// Calls of a program that the kernel skipped because it was already running
/// on that CPU (`bpf_prog_info.recursion_misses`, since 5.12; 0 before).
///
/// # Errors
/// The kernel's refusal.
pub fn skipped_calls(program: BorrowedFd<'_>) -> io::Result<u64> {
    // `struct bpf_prog_info`: recursion_misses is the u64 at byte 208.
    const LEN: usize = 256;
    const RECURSION_MISSES: usize = 208 / 8;
    let mut info = [0u64; LEN / 8];
    let mut attr = ObjectInfo {
        bpf_fd: u32::try_from(program.as_raw_fd()).map_err(io::Error::other)?,
        info_len: LEN as u32,
        info: info.as_mut_ptr() as u64,
    };
    // SAFETY: `info` is a live buffer of the length stated, zeroed, so that
    // the kernel takes none of its fields for a request to copy more.
    unsafe { bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attr) }?;
    let told = attr.info_len as usize > RECURSION_MISSES * 8;
    Ok(if told { info.get(RECURSION_MISSES).copied().unwrap_or(0) } else { 0 })
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
