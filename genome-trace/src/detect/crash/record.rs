//! The record of a crash, from what was heard.

use super::{
    reason,
    subject::{HeardFiles, HeardOom, HeardSignal, Subject, lossy},
    verdict::End,
    xids::HeardXid,
};
use crate::{
    detect::masked_arguments,
    model::{
        Argv, Crash, CrashActivity, CrashConstraint, CrashFiles, CrashKind, CrashMemory, CrashOom,
        CrashPeer, CrashSignal, Event, Exit, MemoryConstraint, Process, VramPeakSource,
    },
};

/// What the end and what came before it say.
pub(super) fn of(
    kind: CrashKind,
    event: &Event<'_>,
    process: &Process<'_>,
    exit: &Exit,
    end: &End<'_>,
    xid: Option<&HeardXid>,
    parent: Option<(u32, Option<&[u8]>)>,
) -> Crash {
    let reason = reason::of(kind, end, xid, event.ktime_ns);
    Crash {
        persona: event.persona.map(|persona| persona.name.clone()),
        genome_id: event.persona.and_then(|persona| persona.genome_id.clone()),
        comm: process.comm.map(lossy),
        uid: process.uid,
        cgroup_path: process.cgroup_path.map(lossy),
        parent: parent.map(|(tgid, comm)| CrashPeer { tgid, comm: comm.map(lossy) }),
        ending: Some(exit.ending),
        memory: memory(exit, end),
        activity: CrashActivity {
            runtime_ns: Some(exit.runtime_ns),
            cpu_ns: exit.cpu_ns,
            write_calls: exit.write_calls,
            written_bytes: exit.written_bytes,
            threads: end.signal.and_then(|signal| signal.threads).or(exit.threads).map(u64::from),
            // The signal's are those of a moment before.
            open_files: exit
                .open_files
                .or_else(|| end.signal.and_then(|signal| signal.open_files))
                .map(u64::from),
        },
        signal: end.signal.map(signal),
        oom: end.oom.map(oom),
        xid: xid.map(|xid| xid.record(event.ktime_ns)),
        ..Crash::new(event.wall_time, event.ktime_ns, process.key, kind, reason)
    }
}

/// What was kept of the process while it lived.
pub(super) fn add_subject(crash: &mut Crash, subject: &Subject) {
    if crash.comm.is_none() {
        crash.comm = subject.comm().map(lossy);
    }
    if let Some(program) = &subject.program {
        crash.exe = program.exe.as_deref().map(lossy);
        crash.argv =
            program.argv.as_deref().map(|block| masked_arguments(Argv { block }.iter().map(lossy)));
        crash.argv_truncated = program.argv_truncated;
    }
    // Nobody listens to the files of those that are nobody's.
    crash.files = crash.persona.is_some().then(|| files(&subject.files));
}

/// The files of somebody's process, as far as they were heard of.
pub(super) fn files(heard: &HeardFiles) -> CrashFiles {
    CrashFiles {
        created: heard.created,
        since_start: heard.since_start,
        last_written: heard.last.iter().rev().map(|path| lossy(path)).collect(),
    }
}

fn memory(exit: &Exit, end: &End<'_>) -> CrashMemory {
    let oom = end.oom;
    let vram = exit.vram;
    let peak_vram_bytes = vram.and_then(|vram| vram.peak_bytes);
    CrashMemory {
        rss_bytes: oom
            .and_then(resident)
            .or_else(|| end.signal.and_then(|signal| signal.rss_bytes)),
        peak_rss_bytes: exit.peak_rss_bytes,
        limit_bytes: oom.and_then(|oom| oom.memory_limit_bytes),
        usage_bytes: oom.and_then(|oom| oom.memory_usage_bytes),
        vram_bytes: vram.and_then(|vram| vram.bytes),
        peak_vram_bytes,
        peak_vram_is_sampled: vram
            .filter(|_| peak_vram_bytes.is_some())
            .map(|vram| vram.peak_source == VramPeakSource::Samples),
        vram_age_ns: vram.map(|vram| vram.age_ns),
    }
}

/// What the victim had when it was chosen: nothing between that and its end
/// lets it have more.
fn resident(oom: &HeardOom) -> Option<u64> {
    oom.anon_rss_bytes?.checked_add(oom.file_rss_bytes?)?.checked_add(oom.shmem_rss_bytes?)
}

fn signal(heard: &HeardSignal) -> CrashSignal {
    CrashSignal {
        signal: heard.signal,
        code: heard.code,
        sender: heard
            .sender_tgid
            .map(|tgid| CrashPeer { tgid, comm: heard.sender_comm.as_deref().map(lossy) }),
    }
}

fn oom(heard: &HeardOom) -> CrashOom {
    CrashOom {
        constraint: heard.constraint.map(|constraint| match constraint {
            MemoryConstraint::Memcg => CrashConstraint::Memcg,
            MemoryConstraint::Global => CrashConstraint::Global,
        }),
        memory_cgroup_path: heard.memory_cgroup_path.as_deref().map(lossy),
        invoker_tgid: Some(heard.invoker_tgid),
        total_vm_bytes: heard.total_vm_bytes,
        anon_rss_bytes: heard.anon_rss_bytes,
        file_rss_bytes: heard.file_rss_bytes,
        shmem_rss_bytes: heard.shmem_rss_bytes,
        oom_score_adj: heard.oom_score_adj,
    }
}
