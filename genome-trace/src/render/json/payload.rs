//! The payloads' fields, in the order in which they are written. Their names
//! are the schema's.

use super::value::{Arguments, Device, Frames, Lossy, Object, Shown};
use crate::{
    model::{
        Ending, Exec, Exit, FileCreate, FileUnlink, FileWrite, GpuName, GpuXid, Lost,
        MemoryConstraint, OomKill, Payload, Signal, VramSpike, XidTie,
    },
    render::si_code::code_name,
};

/// Gives `fields` those of what happened.
pub(super) fn write(fields: &mut Object<'_>, payload: &Payload<'_>) {
    match payload {
        Payload::Exec(happened) => exec(fields, happened),
        Payload::Fork => {}
        Payload::Exit(happened) => exit(fields, happened),
        Payload::Signal(happened) => signal(fields, happened),
        Payload::OomKill(happened) => oom_kill(fields, happened),
        Payload::FileCreate(happened) => file_create(fields, happened),
        Payload::FileWrite(happened) => file_write(fields, happened),
        Payload::FileUnlink(happened) => file_unlink(fields, happened),
        Payload::GpuXid(happened) => gpu_xid(fields, happened),
        Payload::VramSpike(happened) => vram_spike(fields, happened),
        // Not field by field: write_event does.
        Payload::Alert(_) => {}
        Payload::Lost(happened) => lost(fields, happened),
    }
}

fn exec(fields: &mut Object<'_>, exec: &Exec<'_>) {
    fields
        .field("exe", exec.exe.map(Lossy))
        .field("argv", exec.argv.map(Arguments))
        .field("exe_truncated", exec.exe_truncated)
        .field("argv_truncated", exec.argv_truncated);
}

fn exit(fields: &mut Object<'_>, exit: &Exit) {
    let (code, signal, core_dumped) = match exit.ending {
        Ending::Exited { code } => (Some(code), None, false),
        Ending::Signaled { signal, core_dumped } => (None, Some(Shown(signal)), core_dumped),
    };
    fields
        .field("code", code)
        .field("signal", signal)
        .field("core_dumped", core_dumped)
        .field("runtime_ns", exit.runtime_ns)
        .field("cpu_ns", exit.cpu_ns)
        .field("peak_rss_bytes", exit.peak_rss_bytes)
        .field("write_calls", exit.write_calls)
        .field("written_bytes", exit.written_bytes)
        .field("threads", exit.threads)
        .field("open_files", exit.open_files)
        .field("vram_bytes", exit.vram.and_then(|vram| vram.bytes))
        .field("peak_vram_bytes", exit.vram.and_then(|vram| vram.peak_bytes))
        .field("peak_vram_source", exit.vram.map(|vram| vram.peak_source.name()))
        .field("vram_age_ns", exit.vram.map(|vram| vram.age_ns));
}

fn signal(fields: &mut Object<'_>, signal: &Signal<'_>) {
    fields
        .field("signal", Shown(signal.signal))
        .field("code", signal.code)
        .field("code_name", code_name(signal.signal, signal.code))
        .field("sender_tgid", signal.sender_tgid)
        .field("sender_comm", signal.sender_comm.map(Lossy))
        .field("rss_bytes", signal.rss_bytes)
        .field("threads", signal.threads)
        .field("open_files", signal.open_files)
        .field("stack", signal.stack.map(Frames));
}

fn oom_kill(fields: &mut Object<'_>, kill: &OomKill<'_>) {
    let constraint = kill.constraint.map(|constraint| match constraint {
        MemoryConstraint::Memcg => "memcg",
        MemoryConstraint::Global => "global",
    });
    fields
        .field("constraint", constraint)
        .field("total_vm_bytes", kill.total_vm_bytes)
        .field("anon_rss_bytes", kill.anon_rss_bytes)
        .field("file_rss_bytes", kill.file_rss_bytes)
        .field("shmem_rss_bytes", kill.shmem_rss_bytes)
        .field("oom_score_adj", kill.oom_score_adj)
        .field("memory_cgroup_path", kill.memory_cgroup_path.map(Lossy))
        .field("memory_limit_bytes", kill.memory_limit_bytes)
        .field("memory_usage_bytes", kill.memory_usage_bytes)
        .field("invoker_tgid", kill.invoker_tgid);
}

fn file_create(fields: &mut Object<'_>, create: &FileCreate<'_>) {
    fields
        .field("path", create.path.map(Lossy))
        .field("path_truncated", create.path_truncated)
        .field("device", Device(create.device))
        .field("inode", create.inode);
}

fn file_write(fields: &mut Object<'_>, write: &FileWrite<'_>) {
    fields
        .field("path", write.path.map(Lossy))
        .field("path_truncated", write.path_truncated)
        .field("device", Device(write.device))
        .field("inode", write.inode)
        .field("write_calls", write.write_calls)
        .field("written_bytes", write.written_bytes);
}

fn file_unlink(fields: &mut Object<'_>, unlink: &FileUnlink<'_>) {
    fields
        .field("path", unlink.path.map(Lossy))
        .field("path_truncated", unlink.path_truncated)
        .field("unlink_calls", unlink.unlink_calls);
}

fn gpu_xid(fields: &mut Object<'_>, xid: &GpuXid<'_>) {
    fields
        .field("xid", xid.xid)
        .field("summary", xid.meaning.map(|meaning| meaning.summary))
        .field("cause", xid.meaning.map(|meaning| meaning.cause.name()))
        .field("remedy", xid.meaning.map(|meaning| meaning.remedy));
    gpu(fields, xid.gpu);
    fields
        .field("tied_by", xid.tie.map(XidTie::name))
        .field("driver_tgid", xid.driver_tgid)
        .field("driver_comm", xid.driver_comm.map(Lossy))
        .field("message", xid.message.map(Lossy))
        .field("vram_bytes", xid.vram_bytes);
}

fn gpu(fields: &mut Object<'_>, gpu: GpuName<'_>) {
    fields
        .field("gpu_index", gpu.index)
        .field("gpu_uuid", gpu.uuid)
        .field("gpu_name", gpu.name)
        .field("pci_bus_id", gpu.pci_bus_id);
}

fn vram_spike(fields: &mut Object<'_>, spike: &VramSpike<'_>) {
    fields
        .field("vram_bytes", spike.vram_bytes)
        .field("baseline_bytes", spike.baseline_bytes)
        .field("baseline_looks", spike.baseline_looks)
        .field("window_ns", spike.window_ns);
    gpu(fields, spike.gpu);
    fields
        .field("gpu_used_bytes", spike.gpu_used_bytes)
        .field("gpu_total_bytes", spike.gpu_total_bytes);
}

fn lost(fields: &mut Object<'_>, lost: &Lost) {
    for (name, count) in lost.by_name() {
        fields.field(name, count);
    }
}
