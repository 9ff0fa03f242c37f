//! The GPUs as fields of a JSON object (docs/gpu.md). Every field is always there;
//! `null` is unknown.

use std::borrow::Cow;

use serde::Serialize;

use crate::{
    model::{
        Argv, Gpu, GpuAccess, GpuDetails, GpuHealth, GpuProcessType, Holder, MigInstance,
        PersonaVram, Stats, Vram,
    },
    render::time::Utc,
};

/// Version of the JSON.
const FORMAT: u32 = 1;

/// The fields; those of other parts stand beside them.
#[derive(Serialize)]
pub(in crate::render) struct Report<'a> {
    v: u32,
    version: &'a str,
    host: &'a str,
    time: String,
    library: &'a str,
    access: &'static str,
    access_reason: Option<&'a str>,
    ktime_ns: Option<u64>,
    took_ns: Option<u64>,
    driver_version: Option<&'a str>,
    cuda_version: Option<String>,
    foreign_pids: bool,
    gpus: Option<Vec<GpuObject<'a>>>,
    personas: Option<Vec<PersonaObject<'a>>>,
}

#[derive(Serialize)]
struct GpuObject<'a> {
    index: u32,
    uuid: Option<&'a str>,
    name: Option<&'a str>,
    pci_bus_id: Option<&'a str>,
    health: &'static str,
    health_reason: Option<&'a str>,
    vram: VramObject,
    gpu_percent: Option<u32>,
    memory_percent: Option<u32>,
    encoder_percent: Option<u32>,
    decoder_percent: Option<u32>,
    temperature_celsius: Option<u32>,
    fan_percent: Option<u32>,
    power_milliwatts: Option<u32>,
    power_limit_milliwatts: Option<u32>,
    sm_clock_mhz: Option<u32>,
    memory_clock_mhz: Option<u32>,
    performance_state: Option<u32>,
    throttle_reasons: Option<&'a [&'static str]>,
    ecc_enabled: Option<bool>,
    ecc_corrected: Option<u64>,
    ecc_uncorrected: Option<u64>,
    pcie_rx_bytes_per_second: Option<u64>,
    pcie_tx_bytes_per_second: Option<u64>,
    pcie_generation: Option<u32>,
    pcie_width: Option<u32>,
    persistence_mode: Option<bool>,
    display_active: Option<bool>,
    compute_mode: Option<&'static str>,
    mig_enabled: Option<bool>,
    mig_instances: Option<Vec<MigObject<'a>>>,
    accounting_enabled: Option<bool>,
    processes: Option<Vec<ProcessObject<'a>>>,
}

#[derive(Serialize)]
struct VramObject {
    total_bytes: Option<u64>,
    used_bytes: Option<u64>,
    reserved_bytes: Option<u64>,
}

#[derive(Serialize)]
struct MigObject<'a> {
    index: u32,
    uuid: Option<&'a str>,
    name: Option<&'a str>,
    gpu_instance_id: Option<u32>,
    compute_instance_id: Option<u32>,
    vram: VramObject,
}

#[derive(Serialize)]
struct ProcessObject<'a> {
    tgid: u32,
    process_type: &'static str,
    vram_bytes: Option<u64>,
    accounted_peak_bytes: Option<u64>,
    gpu_instance_id: Option<u32>,
    compute_instance_id: Option<u32>,
    sm_percent: Option<u32>,
    memory_percent: Option<u32>,
    encoder_percent: Option<u32>,
    decoder_percent: Option<u32>,
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    comm: Option<Cow<'a, str>>,
    argv: Option<Vec<Cow<'a, str>>>,
    uid: Option<u32>,
}

#[derive(Serialize)]
struct PersonaObject<'a> {
    persona: Option<&'a str>,
    genome_id: Option<&'a str>,
    vram_bytes: Option<u64>,
    is_lower_bound: bool,
    gpus_total_bytes: Option<u64>,
    gpu_indexes: &'a [u32],
    process_count: u64,
}

/// The fields of a report. `sums` are its [`Stats::persona_vram`].
pub(in crate::render) fn object<'a>(stats: &'a Stats, sums: &'a [PersonaVram]) -> Report<'a> {
    let snapshot = stats.snapshot.as_ref();
    let (access, access_reason) = match &stats.access {
        GpuAccess::Ready => ("ready", None),
        GpuAccess::NoLibrary => ("no_library", None),
        GpuAccess::NoDriver => ("no_driver", None),
        GpuAccess::Stalled => ("stalled", None),
        GpuAccess::Failed(reason) => ("failed", Some(&**reason)),
    };
    Report {
        v: FORMAT,
        version: &stats.version,
        host: &stats.host,
        time: Utc(stats.wall_time).to_string(),
        library: &stats.library,
        access,
        access_reason,
        ktime_ns: snapshot.map(|snapshot| snapshot.ktime_ns),
        took_ns: snapshot.map(|snapshot| snapshot.took_ns),
        driver_version: snapshot.and_then(|snapshot| snapshot.driver_version.as_deref()),
        cuda_version: snapshot
            .and_then(|snapshot| snapshot.cuda_version)
            .map(|(major, minor)| format!("{major}.{minor}")),
        foreign_pids: stats.foreign_pids,
        gpus: snapshot
            .map(|snapshot| snapshot.gpus.iter().map(|one| gpu(one, &stats.holders)).collect()),
        personas: snapshot.map(|_| sums.iter().map(persona).collect()),
    }
}

fn gpu<'a>(gpu: &'a Gpu, holders: &'a [Holder]) -> GpuObject<'a> {
    let details = gpu.details.as_deref();
    // Written down once: what was not asked for is as unknown as what was not
    // told.
    macro_rules! told {
        ($field:ident) => {
            details.and_then(|details: &GpuDetails| details.$field)
        };
    }
    let (health, health_reason) = match &gpu.health {
        GpuHealth::Ok => ("ok", None),
        GpuHealth::Lost => ("lost", None),
        GpuHealth::Failed(reason) => ("failed", Some(&**reason)),
    };
    let own = || holders.iter().filter(|holder| holder.gpu_index == gpu.identity.index);
    GpuObject {
        index: gpu.identity.index,
        uuid: gpu.identity.uuid.as_deref(),
        name: gpu.identity.name.as_deref(),
        pci_bus_id: gpu.identity.pci_bus_id.as_deref(),
        health,
        health_reason,
        vram: vram(gpu.vram),
        gpu_percent: told!(gpu_percent),
        memory_percent: told!(memory_percent),
        encoder_percent: told!(encoder_percent),
        decoder_percent: told!(decoder_percent),
        temperature_celsius: told!(temperature_celsius),
        fan_percent: told!(fan_percent),
        power_milliwatts: told!(power_milliwatts),
        power_limit_milliwatts: told!(power_limit_milliwatts),
        sm_clock_mhz: told!(sm_clock_mhz),
        memory_clock_mhz: told!(memory_clock_mhz),
        performance_state: told!(performance_state),
        throttle_reasons: details.and_then(|details| details.throttle_reasons.as_deref()),
        ecc_enabled: told!(ecc_enabled),
        ecc_corrected: told!(ecc_corrected),
        ecc_uncorrected: told!(ecc_uncorrected),
        pcie_rx_bytes_per_second: told!(pcie_rx_bytes_per_second),
        pcie_tx_bytes_per_second: told!(pcie_tx_bytes_per_second),
        pcie_generation: told!(pcie_generation),
        pcie_width: told!(pcie_width),
        persistence_mode: told!(persistence_mode),
        display_active: told!(display_active),
        compute_mode: told!(compute_mode),
        mig_enabled: told!(mig_enabled),
        mig_instances: details.map(|details| details.mig_instances.iter().map(mig).collect()),
        accounting_enabled: told!(accounting_enabled),
        processes: gpu.processes.as_ref().map(|_| own().map(process).collect()),
    }
}

const fn vram(vram: Vram) -> VramObject {
    let Vram { total_bytes, used_bytes, reserved_bytes } = vram;
    VramObject { total_bytes, used_bytes, reserved_bytes }
}

fn mig(instance: &MigInstance) -> MigObject<'_> {
    MigObject {
        index: instance.index,
        uuid: instance.uuid.as_deref(),
        name: instance.name.as_deref(),
        gpu_instance_id: instance.gpu_instance_id,
        compute_instance_id: instance.compute_instance_id,
        vram: vram(instance.vram),
    }
}

fn process(holder: &Holder) -> ProcessObject<'_> {
    let process = &holder.process;
    let persona = holder.persona.as_ref();
    let utilization = process.utilization;
    ProcessObject {
        tgid: process.tgid,
        process_type: match process.process_type {
            GpuProcessType::Compute => "compute",
            GpuProcessType::Graphics => "graphics",
            GpuProcessType::Both => "both",
        },
        vram_bytes: process.vram_bytes,
        accounted_peak_bytes: process.accounted_peak_bytes,
        gpu_instance_id: process.gpu_instance_id,
        compute_instance_id: process.compute_instance_id,
        sm_percent: utilization.map(|of| of.sm_percent),
        memory_percent: utilization.map(|of| of.memory_percent),
        encoder_percent: utilization.map(|of| of.encoder_percent),
        decoder_percent: utilization.map(|of| of.decoder_percent),
        persona: persona.map(|persona| persona.name.as_str()),
        genome_id: persona.and_then(|persona| persona.genome_id.as_deref()),
        comm: holder.comm.as_deref().map(String::from_utf8_lossy),
        argv: holder
            .argv
            .as_deref()
            .map(|block| Argv { block }.iter().map(String::from_utf8_lossy).collect()),
        uid: holder.uid,
    }
}

fn persona(sum: &PersonaVram) -> PersonaObject<'_> {
    let persona = sum.persona.as_ref();
    PersonaObject {
        persona: persona.map(|persona| persona.name.as_str()),
        genome_id: persona.and_then(|persona| persona.genome_id.as_deref()),
        vram_bytes: sum.vram_bytes,
        is_lower_bound: sum.is_lower_bound,
        gpus_total_bytes: sum.gpus_total_bytes,
        gpu_indexes: &sum.gpu_indexes,
        process_count: sum.process_count,
    }
}
