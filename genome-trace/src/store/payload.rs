//! Payloads of events as bytes. What is interned (the path of a file or an
//! executable) is no part of them, and an environment is never stored.
//!
//! The order of the calls in [`encode`] and [`decode`] is the format: a change
//! of it needs a new schema version. Only what is optional may be added at the
//! end of a payload: of bytes that were written before, its bit says none.

mod codec;

use codec::{Decoder, Encoder};

use crate::model::{
    Argv, Ending, EventKind, Exec, Exit, FileCreate, FileUnlink, FileWrite, GpuName, GpuXid, Lost,
    MemoryConstraint, OomKill, Payload, Signal, SignalNumber, UserStack, VramAtDeath,
    VramPeakSource, VramSpike, XidTie, xid_meaning,
};

/// A kind as a number in the store; never another for the same kind.
pub(super) const fn kind_number(kind: EventKind) -> u8 {
    match kind {
        EventKind::Exec => 1,
        EventKind::Fork => 2,
        EventKind::Exit => 3,
        EventKind::Signal => 4,
        EventKind::OomKill => 5,
        EventKind::FileCreate => 6,
        EventKind::FileWrite => 7,
        EventKind::FileUnlink => 8,
        EventKind::Lost => 9,
        EventKind::GpuXid => 10,
        EventKind::VramSpike => 11,
        EventKind::Alert => 12,
    }
}

/// The kind of a number.
pub(super) fn kind_of(number: i64) -> Option<EventKind> {
    EventKind::ALL.into_iter().find(|kind| i64::from(kind_number(*kind)) == number)
}

/// What of a payload is interned.
pub(super) const fn name_of<'a>(payload: &Payload<'a>) -> Option<&'a [u8]> {
    match payload {
        Payload::Exec(exec) => exec.exe,
        Payload::FileCreate(file) => file.path,
        Payload::FileWrite(file) => file.path,
        Payload::FileUnlink(file) => file.path,
        Payload::Fork
        | Payload::Exit(_)
        | Payload::Signal(_)
        | Payload::OomKill(_)
        | Payload::GpuXid(_)
        | Payload::VramSpike(_)
        | Payload::Alert(_)
        | Payload::Lost(_) => None,
    }
}

/// Appends a payload's bytes.
pub(super) fn encode(payload: &Payload<'_>, out: &mut Vec<u8>) {
    let mut to = Encoder::new(out);
    match payload {
        Payload::Exec(exec) => {
            to.flag(exec.exe_truncated);
            to.flag(exec.argv_truncated);
            to.optional_bytes(exec.argv.map(|argv| argv.block));
        }
        Payload::Fork => {}
        Payload::Exit(exit) => encode_exit(exit, &mut to),
        Payload::Signal(signal) => {
            to.uint(signal.signal.0.into());
            to.int(signal.code.into());
            to.optional(signal.sender_tgid.map(u64::from));
            to.optional_bytes(signal.sender_comm);
            to.optional_bytes(signal.stack.map(|stack| stack.block));
            to.optional(signal.rss_bytes);
            to.optional(signal.threads.map(u64::from));
            to.optional(signal.open_files.map(u64::from));
        }
        Payload::OomKill(oom) => encode_oom(oom, &mut to),
        Payload::FileCreate(file) => {
            to.flag(file.path_truncated);
            encode_identity(file.device, file.inode, &mut to);
        }
        Payload::FileWrite(file) => {
            to.flag(file.path_truncated);
            encode_identity(file.device, file.inode, &mut to);
            to.uint(file.write_calls);
            to.uint(file.written_bytes);
        }
        Payload::FileUnlink(file) => {
            to.flag(file.path_truncated);
            to.uint(file.unlink_calls);
        }
        Payload::GpuXid(xid) => encode_xid(xid, &mut to),
        Payload::VramSpike(spike) => encode_spike(spike, &mut to),
        // It has a table of its own.
        Payload::Alert(_) => {}
        Payload::Lost(lost) => {
            for (_, count) in lost.by_name() {
                to.optional((count > 0).then_some(count));
            }
        }
    }
}

/// Reads a payload back; `None` where the bytes are none of that kind.
pub(super) fn decode<'a>(
    kind: EventKind,
    name: Option<&'a [u8]>,
    bytes: &'a [u8],
) -> Option<Payload<'a>> {
    let mut from = Decoder::new(bytes)?;
    let payload = match kind {
        EventKind::Exec => Payload::Exec(Exec {
            exe: name,
            exe_truncated: from.flag(),
            argv_truncated: from.flag(),
            argv: from.optional_bytes()?.map(|block| Argv { block }),
            environment: None,
            environment_truncated: false,
        }),
        EventKind::Fork => Payload::Fork,
        EventKind::Exit => Payload::Exit(decode_exit(&mut from)?),
        EventKind::Signal => Payload::Signal(Signal {
            signal: SignalNumber(from.uint32()?),
            code: i32::try_from(from.int()?).ok()?,
            sender_tgid: from.optional32()?,
            sender_comm: from.optional_bytes()?,
            stack: from.optional_bytes()?.map(|block| UserStack { block }),
            rss_bytes: from.optional()?,
            threads: from.optional32()?,
            open_files: from.optional32()?,
        }),
        EventKind::OomKill => Payload::OomKill(decode_oom(&mut from)?),
        EventKind::FileCreate => {
            let path_truncated = from.flag();
            let (device, inode) = decode_identity(&mut from)?;
            Payload::FileCreate(FileCreate { path: name, path_truncated, device, inode })
        }
        EventKind::FileWrite => {
            let path_truncated = from.flag();
            let (device, inode) = decode_identity(&mut from)?;
            Payload::FileWrite(FileWrite {
                path: name,
                path_truncated,
                device,
                inode,
                write_calls: from.uint()?,
                written_bytes: from.uint()?,
            })
        }
        EventKind::FileUnlink => Payload::FileUnlink(FileUnlink {
            path: name,
            path_truncated: from.flag(),
            unlink_calls: from.uint()?,
        }),
        EventKind::GpuXid => Payload::GpuXid(decode_xid(&mut from)?),
        EventKind::VramSpike => Payload::VramSpike(decode_spike(&mut from)?),
        EventKind::Alert => return None,
        EventKind::Lost => Payload::Lost(decode_lost(&mut from)?),
    };
    from.is_at_end().then_some(payload)
}

fn encode_exit(exit: &Exit, to: &mut Encoder<'_>) {
    match exit.ending {
        Ending::Exited { code } => {
            to.flag(false);
            to.flag(false);
            to.uint(code.into());
        }
        Ending::Signaled { signal, core_dumped } => {
            to.flag(true);
            to.flag(core_dumped);
            to.uint(signal.0.into());
        }
    }
    to.uint(exit.runtime_ns);
    to.optional(exit.cpu_ns);
    to.optional(exit.peak_rss_bytes);
    to.optional(exit.write_calls);
    to.optional(exit.written_bytes);
    to.flag(exit.vram.is_some());
    if let Some(vram) = exit.vram {
        to.flag(vram.peak_source == VramPeakSource::Accounting);
        to.optional(vram.bytes);
        to.optional(vram.peak_bytes);
        to.uint(vram.age_ns);
    }
    to.optional(exit.threads.map(u64::from));
    to.optional(exit.open_files.map(u64::from));
}

fn decode_exit(from: &mut Decoder<'_>) -> Option<Exit> {
    let (is_signal, core_dumped) = (from.flag(), from.flag());
    let ending = if is_signal {
        Ending::Signaled { signal: SignalNumber(from.uint32()?), core_dumped }
    } else {
        Ending::Exited { code: u8::try_from(from.uint()?).ok()? }
    };
    Some(Exit {
        ending,
        runtime_ns: from.uint()?,
        cpu_ns: from.optional()?,
        peak_rss_bytes: from.optional()?,
        write_calls: from.optional()?,
        written_bytes: from.optional()?,
        vram: if from.flag() { Some(decode_vram(from)?) } else { None },
        threads: from.optional32()?,
        open_files: from.optional32()?,
    })
}

fn decode_vram(from: &mut Decoder<'_>) -> Option<VramAtDeath> {
    let is_accounted = from.flag();
    Some(VramAtDeath {
        peak_source: if is_accounted {
            VramPeakSource::Accounting
        } else {
            VramPeakSource::Samples
        },
        bytes: from.optional()?,
        peak_bytes: from.optional()?,
        age_ns: from.uint()?,
    })
}

fn encode_gpu(gpu: GpuName<'_>, to: &mut Encoder<'_>) {
    to.optional(gpu.index.map(u64::from));
    to.optional_bytes(gpu.uuid.map(str::as_bytes));
    to.optional_bytes(gpu.name.map(str::as_bytes));
    to.optional_bytes(gpu.pci_bus_id.map(str::as_bytes));
}

fn decode_gpu<'a>(from: &mut Decoder<'a>) -> Option<GpuName<'a>> {
    let index = from.optional32()?;
    let mut text = || match from.optional_bytes()? {
        Some(bytes) => Some(Some(std::str::from_utf8(bytes).ok()?)),
        None => Some(None),
    };
    Some(GpuName { index, uuid: text()?, name: text()?, pci_bus_id: text()? })
}

/// What the number means is not stored: it is looked up again.
fn encode_xid(xid: &GpuXid<'_>, to: &mut Encoder<'_>) {
    to.optional(xid.xid.map(u64::from));
    encode_gpu(xid.gpu, to);
    to.flag(xid.tie.is_some());
    to.flag(xid.tie == Some(XidTie::Driver));
    to.optional(xid.driver_tgid.map(u64::from));
    to.optional_bytes(xid.driver_comm);
    to.optional_bytes(xid.message);
    to.optional(xid.vram_bytes);
}

fn decode_xid<'a>(from: &mut Decoder<'a>) -> Option<GpuXid<'a>> {
    let xid = from.optional32()?;
    let gpu = decode_gpu(from)?;
    let tie = match (from.flag(), from.flag()) {
        (false, _) => None,
        (true, true) => Some(XidTie::Driver),
        (true, false) => Some(XidTie::SoleHolder),
    };
    Some(GpuXid {
        xid,
        meaning: xid.and_then(xid_meaning),
        gpu,
        tie,
        driver_tgid: from.optional32()?,
        driver_comm: from.optional_bytes()?,
        message: from.optional_bytes()?,
        vram_bytes: from.optional()?,
    })
}

fn encode_spike(spike: &VramSpike<'_>, to: &mut Encoder<'_>) {
    to.uint(spike.vram_bytes);
    to.uint(spike.baseline_bytes);
    to.uint(spike.baseline_looks);
    to.uint(spike.window_ns);
    encode_gpu(spike.gpu, to);
    to.optional(spike.gpu_used_bytes);
    to.optional(spike.gpu_total_bytes);
}

fn decode_spike<'a>(from: &mut Decoder<'a>) -> Option<VramSpike<'a>> {
    Some(VramSpike {
        vram_bytes: from.uint()?,
        baseline_bytes: from.uint()?,
        baseline_looks: from.uint()?,
        window_ns: from.uint()?,
        gpu: decode_gpu(from)?,
        gpu_used_bytes: from.optional()?,
        gpu_total_bytes: from.optional()?,
    })
}

fn encode_oom(oom: &OomKill<'_>, to: &mut Encoder<'_>) {
    to.flag(oom.constraint.is_some());
    to.flag(oom.constraint == Some(MemoryConstraint::Memcg));
    to.optional(oom.total_vm_bytes);
    to.optional(oom.anon_rss_bytes);
    to.optional(oom.file_rss_bytes);
    to.optional(oom.shmem_rss_bytes);
    to.flag(oom.oom_score_adj.is_some());
    to.int(oom.oom_score_adj.unwrap_or_default().into());
    to.optional_bytes(oom.memory_cgroup_path);
    to.optional(oom.memory_limit_bytes);
    to.optional(oom.memory_usage_bytes);
    to.uint(oom.invoker_tgid.into());
}

fn decode_oom<'a>(from: &mut Decoder<'a>) -> Option<OomKill<'a>> {
    let constraint = match (from.flag(), from.flag()) {
        (false, _) => None,
        (true, true) => Some(MemoryConstraint::Memcg),
        (true, false) => Some(MemoryConstraint::Global),
    };
    let sizes = [from.optional()?, from.optional()?, from.optional()?, from.optional()?];
    let [total_vm_bytes, anon_rss_bytes, file_rss_bytes, shmem_rss_bytes] = sizes;
    let has_score = from.flag();
    let score = i32::try_from(from.int()?).ok()?;
    Some(OomKill {
        constraint,
        total_vm_bytes,
        anon_rss_bytes,
        file_rss_bytes,
        shmem_rss_bytes,
        oom_score_adj: has_score.then_some(score),
        memory_cgroup_path: from.optional_bytes()?,
        memory_limit_bytes: from.optional()?,
        memory_usage_bytes: from.optional()?,
        invoker_tgid: from.uint32()?,
    })
}

fn encode_identity((major, minor): (u32, u32), inode: u64, to: &mut Encoder<'_>) {
    to.uint(major.into());
    to.uint(minor.into());
    to.uint(inode);
}

fn decode_identity(from: &mut Decoder<'_>) -> Option<((u32, u32), u64)> {
    Some(((from.uint32()?, from.uint32()?), from.uint()?))
}

/// No count is no loss here: that is what was encoded.
fn decode_lost(from: &mut Decoder<'_>) -> Option<Lost> {
    let mut count = || Some(from.optional()?.unwrap_or(0));
    Some(Lost {
        exec: count()?,
        fork: count()?,
        exit: count()?,
        signal: count()?,
        oom_kill: count()?,
        file_create: count()?,
        file_write: count()?,
        file_unlink: count()?,
        file_path: count()?,
        cgroup: count()?,
        skipped: count()?,
    })
}

#[cfg(test)]
mod tests;
