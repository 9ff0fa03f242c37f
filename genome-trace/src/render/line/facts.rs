//! What is told of each kind, in words: the few facts that matter. What is
//! unknown is said to be.

use std::fmt::{self, Display};

use crate::{
    model::{
        Alert, AlertChange, Ending, Event, Exec, Exit, FileCreate, FileUnlink, FileWrite, GpuName,
        GpuXid, MemoryConstraint, OomKill, Payload, Signal, VramAtDeath, VramSpike, XidTie,
    },
    render::{
        si_code::code_name,
        summary::LostByKind,
        text::{Escaped, Printable, ShellWord},
        units::{Bytes, Count, Elapsed},
    },
};

/// The end of a line.
pub(super) struct Facts<'a>(pub(super) &'a Event<'a>);

impl Display for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.payload {
            Payload::Exec(exec) => command(f, exec),
            Payload::Fork => match self.0.process.and_then(|process| process.ppid) {
                Some(parent) => write!(f, "child of PID {parent}"),
                None => f.write_str("parent unknown"),
            },
            Payload::Exit(exit) => ending(f, exit),
            Payload::Signal(received) => signal(f, received),
            Payload::OomKill(kill) => oom_kill(f, kill),
            Payload::FileCreate(FileCreate { path, path_truncated, device, inode }) => {
                Path { path: *path, truncated: *path_truncated, file: Some((*device, *inode)) }
                    .fmt(f)
            }
            Payload::FileWrite(write) => file_write(f, write),
            Payload::FileUnlink(unlink) => file_unlink(f, unlink),
            Payload::GpuXid(xid) => gpu_xid(f, xid),
            Payload::VramSpike(spike) => vram_spike(f, spike),
            Payload::Alert(raised) => alert(f, raised),
            Payload::Lost(lost) if lost.total() == 0 => f.write_str("nothing"),
            Payload::Lost(lost) => LostByKind(lost).fmt(f),
        }
    }
}

fn alert(f: &mut fmt::Formatter<'_>, alert: &Alert) -> fmt::Result {
    let text = Printable(&alert.text);
    match alert.change {
        AlertChange::Raised => write!(f, "{}: {text}", alert.severity),
        change => write!(f, "{} {}: {text}", alert.severity, change.name()),
    }
}

fn command(f: &mut fmt::Formatter<'_>, exec: &Exec<'_>) -> fmt::Result {
    match (exec.argv, exec.exe) {
        (Some(argv), Some(exe)) if argv.block.is_empty() => {
            write!(f, "{}, no arguments", Escaped(exe))
        }
        (Some(argv), _) => {
            for (index, word) in argv.iter().enumerate() {
                write!(f, "{}{}", if index == 0 { "" } else { " " }, ShellWord(word))?;
            }
            if exec.argv_truncated { f.write_str(" …") } else { Ok(()) }
        }
        (None, Some(exe)) => write!(f, "{}, arguments unknown", Escaped(exe)),
        (None, None) => f.write_str("command unknown"),
    }
}

fn ending(f: &mut fmt::Formatter<'_>, exit: &Exit) -> fmt::Result {
    match exit.ending {
        Ending::Exited { code } => write!(f, "code {code}")?,
        Ending::Signaled { signal, core_dumped: true } => write!(f, "{signal}, core dumped,")?,
        Ending::Signaled { signal, core_dumped: false } => write!(f, "{signal}")?,
    }
    write!(
        f,
        " after {}, CPU {}, peak {}, wrote ",
        Elapsed(exit.runtime_ns),
        Known(exit.cpu_ns.map(Elapsed)),
        Known(exit.peak_rss_bytes.map(Bytes)),
    )?;
    match (exit.written_bytes, exit.write_calls) {
        (None, None) => f.write_str("unknown")?,
        (bytes, calls) => write!(f, "{} in {}", Known(bytes.map(Bytes)), Calls(calls))?,
    }
    match exit.vram {
        Some(vram) if vram.peak_bytes != Some(0) => held(f, vram),
        _ => Ok(()),
    }
}

/// Where the process ever held any.
fn held(f: &mut fmt::Formatter<'_>, vram: VramAtDeath) -> fmt::Result {
    write!(
        f,
        ", VRAM {} {} before the end, peak {}",
        Known(vram.bytes.map(Bytes)),
        Elapsed(vram.age_ns),
        Known(vram.peak_bytes.map(Bytes)),
    )
}

fn gpu_xid(f: &mut fmt::Formatter<'_>, xid: &GpuXid<'_>) -> fmt::Result {
    match xid.xid {
        Some(number) => write!(f, "XID {number} on ")?,
        None => f.write_str("an XID whose number is unknown on ")?,
    }
    Gpu(xid.gpu).fmt(f)?;
    if let Some(meaning) = xid.meaning {
        write!(f, ": {}", meaning.summary)?;
    }
    match (xid.tie, xid.driver_tgid) {
        (Some(XidTie::Driver), _) => f.write_str("; the driver names this process")?,
        (Some(XidTie::SoleHolder), _) => f.write_str("; only this process held that GPU")?,
        (None, Some(tgid)) => write!(
            f,
            "; the driver names {} {tgid}, which is not known",
            Known(xid.driver_comm.map(Escaped))
        )?,
        (None, None) => f.write_str("; whose work it was is unknown")?,
    }
    match xid.meaning {
        Some(meaning) => write!(f, "; {}", meaning.remedy),
        None => Ok(()),
    }
}

fn vram_spike(f: &mut fmt::Formatter<'_>, spike: &VramSpike<'_>) -> fmt::Result {
    write!(
        f,
        "VRAM {}, {} before (median of {} looks in {})",
        Bytes(spike.vram_bytes),
        Bytes(spike.baseline_bytes),
        Count(spike.baseline_looks),
        Elapsed(spike.window_ns),
    )?;
    if spike.gpu.index.is_none() {
        return Ok(());
    }
    write!(
        f,
        "; {}: {} of {} in use",
        Gpu(spike.gpu),
        Known(spike.gpu_used_bytes.map(Bytes)),
        Known(spike.gpu_total_bytes.map(Bytes))
    )
}

/// A GPU by its number and product name.
struct Gpu<'a>(GpuName<'a>);

impl Display for Gpu<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.index, self.0.pci_bus_id) {
            (Some(index), _) => write!(f, "GPU {index}")?,
            (None, Some(address)) => write!(f, "the GPU at {}", Escaped(address.as_bytes()))?,
            (None, None) => f.write_str("a GPU that is unknown")?,
        }
        match self.0.name {
            Some(name) => write!(f, " ({})", Escaped(name.as_bytes())),
            None => Ok(()),
        }
    }
}

fn signal(f: &mut fmt::Formatter<'_>, received: &Signal<'_>) -> fmt::Result {
    write!(f, "{} (", received.signal)?;
    match code_name(received.signal, received.code) {
        Some(name) => f.write_str(name)?,
        None => write!(f, "code {}", received.code)?,
    }
    f.write_str(") from ")?;
    match (received.sender_tgid, received.sender_comm) {
        (Some(tgid), Some(comm)) => write!(f, "{} {tgid}", Escaped(comm)),
        (Some(tgid), None) => write!(f, "PID {tgid}"),
        (None, _) => f.write_str("the kernel"),
    }
}

/// A memory cgroup with less than this left is at its limit: CPUs charge up
/// to 128 pages ahead, and pages are 64 KiB at most.
const CHARGE_SLACK_BYTES: u64 = 128 * 64 * 1024;

fn oom_kill(f: &mut fmt::Formatter<'_>, kill: &OomKill<'_>) -> fmt::Result {
    let path = Known(kill.memory_cgroup_path.map(Escaped));
    let usage = Known(kill.memory_usage_bytes.map(Bytes));
    let limit = Known(kill.memory_limit_bytes.map(Bytes));
    match kill.constraint {
        Some(MemoryConstraint::Memcg) if has_room(kill) => write!(
            f,
            "a memory cgroup at its limit, not seen which; the nearest is {path}: \
             {usage} of {limit}"
        )?,
        Some(MemoryConstraint::Memcg) => {
            write!(f, "memory cgroup {path} at its limit: {usage} of {limit}")?;
        }
        Some(MemoryConstraint::Global) => f.write_str("the machine is out of memory")?,
        None => f.write_str("out of memory, whose limit is unknown")?,
    }
    write!(
        f,
        "; anon {}, file {}, shmem {}",
        Known(kill.anon_rss_bytes.map(Bytes)),
        Known(kill.file_rss_bytes.map(Bytes)),
        Known(kill.shmem_rss_bytes.map(Bytes)),
    )
}

/// Whether the memory cgroup of the event is known not to be the one that ran
/// out: then it is the nearest with a limit.
fn has_room(kill: &OomKill<'_>) -> bool {
    match (kill.memory_usage_bytes, kill.memory_limit_bytes) {
        (Some(usage), Some(limit)) => usage.saturating_add(CHARGE_SLACK_BYTES) < limit,
        _ => false,
    }
}

fn file_write(f: &mut fmt::Formatter<'_>, write: &FileWrite<'_>) -> fmt::Result {
    let (bytes, calls) = (Bytes(write.written_bytes), Calls(Some(write.write_calls)));
    let path = Path {
        path: write.path,
        truncated: write.path_truncated,
        file: Some((write.device, write.inode)),
    };
    write!(f, "{bytes} in {calls} to {path}")
}

fn file_unlink(f: &mut fmt::Formatter<'_>, unlink: &FileUnlink<'_>) -> fmt::Result {
    let path = Path { path: unlink.path, truncated: unlink.path_truncated, file: None };
    match unlink.unlink_calls {
        1 => path.fmt(f),
        times => write!(f, "{path}, {} times", Count(times)),
    }
}

/// What is known, or the word `unknown`.
struct Known<T>(Option<T>);

impl<T: Display> Display for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("unknown"),
        }
    }
}

struct Calls(Option<u64>);

impl Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(1) => f.write_str("1 call"),
            calls => write!(f, "{} calls", Known(calls.map(Count))),
        }
    }
}

/// A path, or else the numbers by which its file can be found.
struct Path<'a> {
    path: Option<&'a [u8]>,
    truncated: bool,
    file: Option<((u32, u32), u64)>,
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path, self.file) {
            (Some(path), _) => {
                write!(f, "{}{}", if self.truncated { "…" } else { "" }, Escaped(path))
            }
            (None, Some(((major, minor), inode))) => {
                write!(f, "unknown path (inode {inode} on device {major}:{minor})")
            }
            (None, None) => f.write_str("unknown path"),
        }
    }
}
