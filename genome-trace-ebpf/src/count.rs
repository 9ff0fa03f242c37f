//! Counting writes and unlinks per process and file, and naming the files.
//!
//! A call costs one look-up in the common case. The first call of a process
//! on a file in an epoch also hands over the file's path, keyed like the
//! count, so that no count needs a path in its map.

use core::ops::ControlFlow;

use aya_ebpf::{bindings::BPF_NOEXIST, maps::HashMap};
use genome_trace_common::{
    COUNT_UNLINK, COUNT_WRITE, FileCount, FileKey, FileRecord, Kind, PATH_ABSOLUTE, PATH_MAX,
    PATH_USER,
};

use crate::{
    caller::Caller,
    config::{config, fact},
    hot::Table,
    kernel::{Address, Memory, current},
    maps::{COUNTS_0, COUNTS_1, EPOCH, FILE_SCRATCH, FileScratch, IO, PATH_ROOM, add, count_lost},
    path::{Place, walk},
    record::{fill_header, output},
    row::{Row, is_news},
    turns::{self, Turns},
};

const S_IFMT: u16 = 0o170_000;
const S_IFIFO: u16 = 0o010_000;
const S_IFSOCK: u16 = 0o140_000;
/// `ANON_INODE_FS_MAGIC`, include/uapi/linux/magic.h: eventfd, timerfd, …
const ANON_INODE_FS_MAGIC: u64 = 0x0904_1934;
/// `OVERLAYFS_SUPER_MAGIC`, include/uapi/linux/magic.h.
const OVERLAYFS_SUPER_MAGIC: u64 = 0x794c_7630;
/// `FMODE_CREATED`, include/linux/fs.h.
const FMODE_CREATED: u32 = 0x10_0000;

/// Whether this run wants to know of `kind`.
#[inline(always)]
pub(crate) fn wanted(kind: Kind) -> bool {
    config!(file_kinds) & (1 << kind as u32) != 0
}

#[inline(always)]
fn current_epoch() -> u32 {
    match EPOCH.get(0) {
        // SAFETY: a live map value; volatile because userspace changes it.
        Some(epoch) => unsafe { core::ptr::read_volatile(epoch) & 1 },
        None => 0,
    }
}

#[inline(always)]
fn counts(epoch: u32) -> &'static HashMap<FileKey, FileCount> {
    if epoch == 0 { &COUNTS_0 } else { &COUNTS_1 }
}

/// A file that has a name on some file system: no pipe, socket or eventfd.
#[derive(Clone, Copy)]
struct Identity<M> {
    inode: u64,
    device: u32,
    generation: u32,
    superblock: M,
}

/// Whether a file is one of a stacked file system, which carries its
/// copy_file_range out by another one on the file below.
#[inline(always)]
pub(crate) fn is_stacked(file: Address) -> bool {
    let superblock = file.follow(fact!(file_inode)).follow(fact!(inode_sb));
    superblock.read::<u64>(fact!(super_block_magic)) == OVERLAYFS_SUPER_MAGIC
}

/// Whether writes to a file are counted: not those to pipes and sockets.
#[inline(always)]
pub(crate) fn has_name<M: Memory>(file: M) -> bool {
    let mode = file.follow(fact!(file_inode)).read::<u16>(fact!(inode_mode)) & S_IFMT;
    mode != S_IFIFO && mode != S_IFSOCK
}

impl<M> Identity<M> {
    /// Under which writes of the current process to it are counted.
    #[inline(always)]
    fn write_key(&self, caller: Caller) -> FileKey {
        FileKey {
            start_time: caller.start_time(),
            inode: self.inode,
            name_hash: 0,
            tgid: caller.tgid(),
            device: self.device,
            counted: COUNT_WRITE,
            generation: self.generation,
        }
    }
}

#[inline(always)]
fn identify<M: Memory>(file: M) -> Option<Identity<M>> {
    let inode = file.follow(fact!(file_inode));
    if !has_name(file) {
        return None;
    }
    let superblock = inode.follow(fact!(inode_sb));
    Some(Identity {
        inode: inode.read(fact!(inode_ino)),
        device: superblock.read(fact!(super_block_dev)),
        generation: inode.read(fact!(inode_generation)),
        superblock,
    })
}

/// Counts one write call to `file` by the current process, whose files are
/// counted.
#[inline(always)]
pub(crate) fn count_write<M: Memory>(caller: Caller, file: M, bytes: u64, table: Table, slot: u32) {
    if !wanted(Kind::FileWrite) {
        return;
    }
    if file.address().is_null() {
        // The call succeeded, and another thread has closed the descriptor.
        count_lost(Kind::FileWrite);
        return;
    }
    let Some(identity) = identify(file) else { return };
    let key = identity.write_key(caller);
    let epoch = current_epoch();
    if table.bump(epoch, &key, bytes) {
        return;
    }
    if bump(epoch, &key, bytes) {
        table.enter(epoch, &key);
        return;
    }
    if identity.superblock.read::<u64>(fact!(super_block_magic)) == ANON_INODE_FS_MAGIC {
        return;
    }
    if start(epoch, &key, bytes, Kind::FileWrite) {
        table.enter(epoch, &key);
        tell_path(&key, epoch, Place::of_file(file.address()), slot);
    }
}

/// Adds to a count that exists.
#[inline(always)]
pub(crate) fn bump(epoch: u32, key: &FileKey, bytes: u64) -> bool {
    match counts(epoch).get_ptr_mut(key) {
        Some(count) => {
            // SAFETY: `get_ptr_mut` returned a live map value.
            let (calls, total) = unsafe { (&raw mut (*count).calls, &raw mut (*count).bytes) };
            add(calls, 1);
            if bytes != 0 {
                add(total, bytes);
            }
            true
        }
        None => false,
    }
}

/// Begins a count with one call; tells whether this call began it.
#[inline(always)]
pub(crate) fn start(epoch: u32, key: &FileKey, bytes: u64, kind: Kind) -> bool {
    let first = FileCount { calls: 1, bytes };
    if counts(epoch).insert(key, first, BPF_NOEXIST as u64).is_ok() {
        return true;
    }
    // Either another thread began it meanwhile, or the map is full.
    if !bump(epoch, key, bytes) {
        count_lost(kind);
    }
    false
}

#[inline(always)]
fn scratch(slot: u32) -> Option<*mut FileScratch> {
    let scratch = FILE_SCRATCH.get_ptr_mut(slot)?;
    // SAFETY: a live map value, this program's own.
    unsafe { (&raw mut (*scratch).record.user_len).write_volatile(0) };
    Some(scratch)
}

/// Hands over the path that belongs to `key`.
#[inline(always)]
fn tell_path(key: &FileKey, epoch: u32, place: Place, slot: u32) {
    if let Some(scratch) = scratch(slot) {
        tell(scratch, Kind::FilePath, key, epoch, place, 0);
    }
}

/// Walks `place`, fills in the record at the head of `scratch` and outputs it.
/// `user_len` bytes of a path from user memory, as the record says, lie there
/// already.
#[inline(always)]
fn tell(
    scratch: *mut FileScratch,
    kind: Kind,
    key: &FileKey,
    epoch: u32,
    place: Place,
    flags: u32,
) -> bool {
    // SAFETY: a field of a live map value.
    let user_len =
        unsafe { (&raw const (*scratch).record.user_len).read_volatile() }.min(PATH_MAX as u32);
    // SAFETY: `scratch` is this program's own slot of a per-CPU map.
    let record = unsafe { &mut (*scratch).record };
    // SAFETY: as above; behind PATH_MAX bytes there is PATH_ROOM.
    let bytes = unsafe { (&raw mut (*scratch).bytes).cast() };
    let walked = walk(place, bytes, user_len, &raw mut record.path_len);
    // SAFETY: a field of a live map value.
    let path_len = unsafe { (&raw const record.path_len).read_volatile() }.min(PATH_ROOM as u32);
    let len = size_of::<FileRecord>() + user_len as usize + path_len as usize;
    fill_header(&mut record.header, kind, len, current());
    record.key = *key;
    record.epoch = epoch;
    record.path_flags = walked | flags;
    output(&IO, kind, scratch.cast::<u8>(), len, size_of::<FileScratch>())
}

/// Which of a row's programs reports an open, and where the file is, as a
/// number.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) rank: u32,
    pub(crate) file: u64,
}

/// Reports `file` where the open that returned it created it. `turn` is for
/// hooks that have a row.
#[inline(always)]
pub(crate) fn report_create<M: Memory>(caller: Caller, file: M, slot: u32, turn: Option<Turn>) {
    if !wanted(Kind::FileCreate) {
        return;
    }
    if !file.address().is_null() && file.read::<u32>(fact!(file_mode)) & FMODE_CREATED == 0 {
        return;
    }
    if !caller.is_counted() {
        return;
    }
    if file.address().is_null() {
        // As for writes; whether it was new is not known any more.
        count_lost(Kind::FileCreate);
        return;
    }
    let Some(identity) = identify(file) else { return };
    if let Some(Turn { rank, file }) = turn {
        let open = file ^ identity.inode.rotate_left(32) ^ u64::from(identity.generation);
        if !is_news(Row::Open, rank, open) {
            return;
        }
    }
    let Some(scratch) = scratch(slot) else { return };
    let key = identity.write_key(caller);
    let epoch = current_epoch();
    if tell(scratch, Kind::FileCreate, &key, epoch, Place::of_file(file.address()), 0)
        && wanted(Kind::FileWrite)
    {
        // The record just sent names the file, so its first write need not.
        let _ = counts(epoch).insert(key, FileCount::default(), BPF_NOEXIST as u64);
    }
}

/// Counts an unlink whose name is still a dentry.
#[inline(always)]
pub(crate) fn count_unlink_dentry(place: Place, slot: u32) {
    if !wanted(Kind::FileUnlink) {
        return;
    }
    let caller = Caller::current();
    if !caller.is_counted() {
        return;
    }
    let folder = place.dentry.follow(fact!(dentry_parent)).follow(fact!(dentry_inode));
    let key = FileKey {
        start_time: caller.start_time(),
        inode: folder.read(fact!(inode_ino)),
        name_hash: place.dentry.read(fact!(dentry_hash_len)),
        tgid: caller.tgid(),
        device: folder.follow(fact!(inode_sb)).read(fact!(super_block_dev)),
        counted: COUNT_UNLINK,
        generation: folder.read(fact!(inode_generation)),
    };
    let epoch = current_epoch();
    if !bump(epoch, &key, 0) && start(epoch, &key, 0, Kind::FileUnlink) {
        tell_path(&key, epoch, place, slot);
    }
}

/// Counts an unlink whose name is in user memory at `name`, relative to
/// `base` unless it begins with a slash.
#[inline(always)]
pub(crate) fn count_unlink_user(name: u64, base: Address, slot: u32) {
    if !wanted(Kind::FileUnlink) {
        return;
    }
    let caller = Caller::current();
    if !caller.is_counted() {
        return;
    }
    let Some(scratch) = scratch(slot) else { return };
    // SAFETY: a live map value.
    let bytes: *mut u8 = unsafe { (&raw mut (*scratch).bytes).cast() };
    // SAFETY: a field of a live map value.
    let len = unsafe { &raw mut (*scratch).record.user_len };
    let Some(first) = read_user(bytes, len, name) else {
        count_lost(Kind::FileUnlink);
        return;
    };
    let base = if first == b'/' { Place::NOWHERE } else { Place::of_path(base) };
    let folder = base.dentry.follow(fact!(dentry_inode));
    let key = FileKey {
        start_time: caller.start_time(),
        inode: folder.read(fact!(inode_ino)),
        name_hash: hash(bytes, len),
        tgid: caller.tgid(),
        device: folder.follow(fact!(inode_sb)).read(fact!(super_block_dev)),
        counted: COUNT_UNLINK,
        generation: folder.read(fact!(inode_generation)),
    };
    let epoch = current_epoch();
    if bump(epoch, &key, 0) || !start(epoch, &key, 0, Kind::FileUnlink) {
        return;
    }
    let flags = if first == b'/' { PATH_USER | PATH_ABSOLUTE } else { PATH_USER };
    tell(scratch, Kind::FilePath, &key, epoch, base, flags);
}

/// Reads a NUL-ended string of at most PATH_MAX bytes from the current
/// process; writes its length with the NUL to `len`, returns its first byte.
#[inline(always)]
fn read_user(buffer: *mut u8, len: *mut u32, from: u64) -> Option<u8> {
    // SAFETY: callers leave PATH_MAX bytes behind `buffer`; the helper checks
    // the user address.
    let copied = unsafe {
        aya_ebpf::helpers::generated::bpf_probe_read_user_str(
            buffer.cast(),
            PATH_MAX as u32,
            from as *const core::ffi::c_void,
        )
    };
    if copied <= 0 {
        return None;
    }
    // SAFETY: callers pass a field of a live map value.
    unsafe { len.write_volatile(copied as u32) };
    // SAFETY: at least one byte was written.
    Some(unsafe { *buffer })
}

/// Words that are hashed, from the end of a name: 256 bytes.
const HASHED_WORDS: u32 = 32;

/// Hash of a name of `len` bytes at `bytes` (FNV-1a over words), and of its
/// length. It only tells names in one folder apart within one second, so the
/// last 256 bytes of a longer name will do.
///
/// `len` is read from the map here, apart from where else it is used: the
/// verifier would carry what it learns of it in each turn of the loop on to
/// the rest of the program, and walk through that as many times.
#[inline(always)]
fn hash(bytes: *const u8, len: *const u32) -> u64 {
    // SAFETY: callers pass a field of a live map value.
    let len = unsafe { len.read_volatile() } & (2 * PATH_MAX as u32 - 1);
    let words = len.div_ceil(8);
    let start = words.saturating_sub(HASHED_WORDS);
    let beyond = words * 8 - len;
    let value = 0xcbf2_9ce4_8422_2325 ^ len as u64;
    let mut hash = Hash { bytes: bytes.cast(), start, words, beyond, value };
    turns::take(HASHED_WORDS, &mut hash);
    hash.value
}

/// The hash of the words so far.
struct Hash {
    bytes: *const u64,
    /// The word to begin with.
    start: u32,
    /// How many there are.
    words: u32,
    /// The last one reaches so many bytes beyond the name.
    beyond: u32,
    value: u64,
}

impl Turns for Hash {
    #[inline(always)]
    fn turn(&mut self, number: u32) -> ControlFlow<()> {
        let at = self.start + number;
        if at >= self.words {
            return ControlFlow::Break(());
        }
        // SAFETY: it is below PATH_MAX bytes, which the buffer has room for,
        // and begins at a multiple of 8 in a map value.
        let mut word = unsafe { self.bytes.add(at as usize & (PATH_MAX / 8 - 1)).read() };
        if at + 1 == self.words {
            // What lies beyond is cut off.
            let bits = (self.beyond * 8) & 63;
            word = (word << bits) >> bits;
        }
        self.value = (self.value ^ word).wrapping_mul(0x0100_0000_01b3);
        self.value ^= self.value >> 29;
        ControlFlow::Continue(())
    }
}
