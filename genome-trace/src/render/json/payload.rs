//! The payloads' fields, in the order in which they are written. Their names
//! are the schema's.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::text::{Arguments, Device, Lossy, Shown};
use crate::{
    model::{
        Ending, Exec, Exit, FileCreate, FileUnlink, FileWrite, Lost, MemoryConstraint, OomKill,
        Payload, Signal, SignalNumber,
    },
    render::si_code::code_name,
};

#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum PayloadView<'a> {
    Exec(ExecView<'a>),
    Fork(ForkView),
    Exit(ExitView),
    Signal(SignalView<'a>),
    OomKill(OomKillView<'a>),
    FileCreate(FileCreateView<'a>),
    FileWrite(FileWriteView<'a>),
    FileUnlink(FileUnlinkView<'a>),
    Lost(LostView<'a>),
}

impl<'a> From<&'a Payload<'a>> for PayloadView<'a> {
    fn from(payload: &'a Payload<'a>) -> Self {
        match payload {
            Payload::Exec(exec) => Self::Exec(exec.into()),
            Payload::Fork => Self::Fork(ForkView {}),
            Payload::Exit(exit) => Self::Exit(exit.into()),
            Payload::Signal(signal) => Self::Signal(signal.into()),
            Payload::OomKill(kill) => Self::OomKill(kill.into()),
            Payload::FileCreate(create) => Self::FileCreate(create.into()),
            Payload::FileWrite(write) => Self::FileWrite(write.into()),
            Payload::FileUnlink(unlink) => Self::FileUnlink(unlink.into()),
            Payload::Lost(lost) => Self::Lost(LostView(lost)),
        }
    }
}

#[derive(serde::Serialize)]
pub(super) struct ExecView<'a> {
    exe: Option<Lossy<'a>>,
    argv: Option<Arguments<'a>>,
    exe_truncated: bool,
    argv_truncated: bool,
}

impl<'a> From<&Exec<'a>> for ExecView<'a> {
    fn from(exec: &Exec<'a>) -> Self {
        Self {
            exe: exec.exe.map(Lossy),
            argv: exec.argv.map(Arguments),
            exe_truncated: exec.exe_truncated,
            argv_truncated: exec.argv_truncated,
        }
    }
}

#[derive(serde::Serialize)]
pub(super) struct ForkView {}

#[derive(serde::Serialize)]
pub(super) struct ExitView {
    code: Option<u8>,
    signal: Option<Shown<SignalNumber>>,
    core_dumped: bool,
    runtime_ns: u64,
    cpu_ns: Option<u64>,
    peak_rss_bytes: Option<u64>,
    write_calls: Option<u64>,
    written_bytes: Option<u64>,
    vram_bytes: Option<u64>,
}

impl From<&Exit> for ExitView {
    fn from(exit: &Exit) -> Self {
        let (code, signal, core_dumped) = match exit.ending {
            Ending::Exited { code } => (Some(code), None, false),
            Ending::Signaled { signal, core_dumped } => (None, Some(Shown(signal)), core_dumped),
        };
        Self {
            code,
            signal,
            core_dumped,
            runtime_ns: exit.runtime_ns,
            cpu_ns: exit.cpu_ns,
            peak_rss_bytes: exit.peak_rss_bytes,
            write_calls: exit.write_calls,
            written_bytes: exit.written_bytes,
            vram_bytes: exit.vram_bytes,
        }
    }
}

#[derive(serde::Serialize)]
pub(super) struct SignalView<'a> {
    signal: Shown<SignalNumber>,
    code: i32,
    code_name: Option<&'static str>,
    sender_tgid: Option<u32>,
    sender_comm: Option<Lossy<'a>>,
}

impl<'a> From<&Signal<'a>> for SignalView<'a> {
    fn from(signal: &Signal<'a>) -> Self {
        Self {
            signal: Shown(signal.signal),
            code: signal.code,
            code_name: code_name(signal.signal, signal.code),
            sender_tgid: signal.sender_tgid,
            sender_comm: signal.sender_comm.map(Lossy),
        }
    }
}

#[derive(serde::Serialize)]
pub(super) struct OomKillView<'a> {
    constraint: Option<&'static str>,
    total_vm_bytes: Option<u64>,
    anon_rss_bytes: Option<u64>,
    file_rss_bytes: Option<u64>,
    shmem_rss_bytes: Option<u64>,
    oom_score_adj: Option<i32>,
    memory_cgroup_path: Option<Lossy<'a>>,
    memory_limit_bytes: Option<u64>,
    memory_usage_bytes: Option<u64>,
    invoker_tgid: u32,
}

impl<'a> From<&OomKill<'a>> for OomKillView<'a> {
    fn from(kill: &OomKill<'a>) -> Self {
        Self {
            constraint: kill.constraint.map(|constraint| match constraint {
                MemoryConstraint::Memcg => "memcg",
                MemoryConstraint::Global => "global",
            }),
            total_vm_bytes: kill.total_vm_bytes,
            anon_rss_bytes: kill.anon_rss_bytes,
            file_rss_bytes: kill.file_rss_bytes,
            shmem_rss_bytes: kill.shmem_rss_bytes,
            oom_score_adj: kill.oom_score_adj,
            memory_cgroup_path: kill.memory_cgroup_path.map(Lossy),
            memory_limit_bytes: kill.memory_limit_bytes,
            memory_usage_bytes: kill.memory_usage_bytes,
            invoker_tgid: kill.invoker_tgid,
        }
    }
}

#[derive(serde::Serialize)]
pub(super) struct FileCreateView<'a> {
    path: Option<Lossy<'a>>,
    path_truncated: bool,
    device: Shown<Device>,
    inode: u64,
}

impl<'a> From<&FileCreate<'a>> for FileCreateView<'a> {
    fn from(create: &FileCreate<'a>) -> Self {
        Self {
            path: create.path.map(Lossy),
            path_truncated: create.path_truncated,
            device: Shown(Device(create.device)),
            inode: create.inode,
        }
    }
}

#[derive(serde::Serialize)]
pub(super) struct FileWriteView<'a> {
    path: Option<Lossy<'a>>,
    path_truncated: bool,
    device: Shown<Device>,
    inode: u64,
    write_calls: u64,
    written_bytes: u64,
}

impl<'a> From<&FileWrite<'a>> for FileWriteView<'a> {
    fn from(write: &FileWrite<'a>) -> Self {
        Self {
            path: write.path.map(Lossy),
            path_truncated: write.path_truncated,
            device: Shown(Device(write.device)),
            inode: write.inode,
            write_calls: write.write_calls,
            written_bytes: write.written_bytes,
        }
    }
}

#[derive(serde::Serialize)]
pub(super) struct FileUnlinkView<'a> {
    path: Option<Lossy<'a>>,
    path_truncated: bool,
    unlink_calls: u64,
}

impl<'a> From<&FileUnlink<'a>> for FileUnlinkView<'a> {
    fn from(unlink: &FileUnlink<'a>) -> Self {
        Self {
            path: unlink.path.map(Lossy),
            path_truncated: unlink.path_truncated,
            unlink_calls: unlink.unlink_calls,
        }
    }
}

pub(super) struct LostView<'a>(&'a Lost);

impl Serialize for LostView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counts = self.0.by_name();
        let mut map = serializer.serialize_map(Some(counts.len()))?;
        for (name, count) in counts {
            map.serialize_entry(name, &count)?;
        }
        map.end()
    }
}
