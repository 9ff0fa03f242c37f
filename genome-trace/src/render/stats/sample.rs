//! Reports for the tests: of a machine that tells everything, of one that tells
//! nothing, and of those on which something is wrong.

use crate::model::{
    Gpu, GpuAccess, GpuDetails, GpuHealth, GpuIdentity, GpuProcess, GpuProcessType,
    GpuProcessUtilization, GpuSnapshot, Holder, MigInstance, Persona, Stats, Vram,
};
use crate::render::sample::TIME;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

fn stats(access: GpuAccess, gpus: Option<Vec<Gpu>>, holders: Vec<Holder>) -> Stats {
    Stats {
        version: "0.1.0".to_owned(),
        host: "box".to_owned(),
        wall_time: TIME,
        access,
        library: "libnvidia-ml.so.1".to_owned(),
        snapshot: gpus.map(|gpus| GpuSnapshot {
            ktime_ns: 812_345_678_901,
            took_ns: 12_300_000,
            driver_version: Some("580.82.07".into()),
            cuda_version: Some((13, 0)),
            gpus,
        }),
        holders,
        foreign_pids: false,
    }
}

fn holder(gpu_index: u32, tgid: u32, vram_bytes: Option<u64>, name: Option<&str>) -> Holder {
    Holder {
        gpu_index,
        process: GpuProcess {
            tgid,
            process_type: GpuProcessType::Compute,
            vram_bytes,
            accounted_peak_bytes: vram_bytes.map(|bytes| bytes + GIB),
            gpu_instance_id: None,
            compute_instance_id: None,
            utilization: Some(GpuProcessUtilization {
                sm_percent: 61,
                memory_percent: 22,
                encoder_percent: 0,
                decoder_percent: 0,
            }),
        },
        persona: name
            .map(|name| Persona { name: name.to_owned(), genome_id: Some("a3f9".to_owned()) }),
        comm: Some(b"python3".to_vec()),
        argv: Some(b"python3\0train.py\0--name=two words\0".to_vec()),
        uid: Some(1000),
    }
}

fn details() -> GpuDetails {
    GpuDetails {
        gpu_percent: Some(97),
        memory_percent: Some(41),
        encoder_percent: Some(0),
        decoder_percent: Some(0),
        temperature_celsius: Some(64),
        fan_percent: Some(30),
        power_milliwatts: Some(511_600),
        power_limit_milliwatts: Some(700_000),
        sm_clock_mhz: Some(1980),
        memory_clock_mhz: Some(2619),
        performance_state: Some(0),
        throttle_reasons: Some(vec!["power cap in software", "temperature in hardware"]),
        ecc_enabled: Some(true),
        ecc_corrected: Some(1_234),
        ecc_uncorrected: Some(1),
        pcie_rx_bytes_per_second: Some(1_288_490_188),
        pcie_tx_bytes_per_second: Some(340 * MIB),
        pcie_generation: Some(5),
        pcie_width: Some(16),
        persistence_mode: Some(true),
        display_active: Some(false),
        compute_mode: Some("Default"),
        mig_enabled: Some(false),
        mig_instances: Vec::new(),
        accounting_enabled: Some(true),
    }
}

fn gpu(index: u32, used_bytes: u64, holders: &[Holder]) -> Gpu {
    let own = holders.iter().filter(|holder| holder.gpu_index == index);
    Gpu {
        identity: GpuIdentity {
            index,
            uuid: Some(format!("GPU-5a1c0b7e-93d4-4c11-8f0e-6d1f2b3c4d5{index}").into()),
            name: Some("NVIDIA H100 80GB HBM3".into()),
            pci_bus_id: Some(format!("00000000:{}5:00.0", index + 6).into()),
        },
        health: GpuHealth::Ok,
        vram: Vram {
            total_bytes: Some(80 * GIB),
            used_bytes: Some(used_bytes),
            reserved_bytes: Some(612 * MIB),
        },
        processes: Some(own.map(|holder| holder.process).collect()),
        details: Some(Box::new(details())),
    }
}

/// Two GPUs, two personas, and a process of which /proc knows nothing.
pub(super) fn known() -> Stats {
    let mut unnamed = holder(1, 47_400, Some(200 * MIB), None);
    unnamed.process.process_type = GpuProcessType::Both;
    let holders = vec![
        holder(0, 47_392, Some(52 * GIB), Some("CodeExpert")),
        holder(0, 47_393, Some(15 * GIB), Some("Math\u{1b}[31mExpert")),
        holder(1, 47_392, Some(20 * GIB), Some("CodeExpert")),
        Holder { comm: None, argv: None, uid: None, ..unnamed },
    ];
    let idle = GpuDetails {
        gpu_percent: Some(0),
        throttle_reasons: Some(Vec::new()),
        ecc_uncorrected: Some(0),
        performance_state: Some(8),
        ..details()
    };
    let mut second = gpu(1, 20 * GIB + 200 * MIB, &holders);
    second.details = Some(Box::new(idle));
    let gpus = vec![gpu(0, 67 * GIB, &holders), second];
    stats(GpuAccess::Ready, Some(gpus), holders)
}

/// A driver that tells nothing but how many GPUs there are, and a process.
pub(super) fn unknown() -> Stats {
    let mut only = holder(0, 47_392, None, None);
    only.process.utilization = None;
    only.process.accounted_peak_bytes = None;
    let holders = vec![Holder { comm: None, argv: None, uid: None, ..only }];
    let nothing = |index, processes, details| Gpu {
        identity: GpuIdentity { index, ..GpuIdentity::default() },
        health: GpuHealth::Ok,
        vram: Vram::default(),
        processes,
        details,
    };
    let in_instance =
        GpuDetails { mig_instances: vec![MigInstance::default()], ..GpuDetails::default() };
    let gpus = vec![
        nothing(0, Some(vec![holders[0].process]), Some(Box::new(in_instance))),
        nothing(1, None, None),
    ];
    let mut stats = stats(GpuAccess::Ready, Some(gpus), holders);
    if let Some(snapshot) = &mut stats.snapshot {
        snapshot.driver_version = None;
        snapshot.cuda_version = None;
    }
    stats
}

/// A GPU that is divided, one of whose processes does not tell its memory.
pub(super) fn mig() -> Stats {
    let mut holders = vec![
        holder(0, 47_392, Some(12 * GIB), Some("CodeExpert")),
        holder(0, 47_393, None, Some("CodeExpert")),
    ];
    for (holder, instance) in holders.iter_mut().zip([1, 2]) {
        holder.process.gpu_instance_id = Some(instance);
        holder.process.compute_instance_id = Some(0);
        holder.process.utilization = None;
    }
    let instance = |index, used| MigInstance {
        index,
        uuid: Some(format!("MIG-7c2a4e61-0d3f-5b8a-9e17-2f4c6a8b0d1{index}").into()),
        name: Some("NVIDIA H100 80GB HBM3 MIG 3g.40gb".into()),
        gpu_instance_id: Some(index + 1),
        compute_instance_id: Some(0),
        vram: Vram { total_bytes: Some(40 * GIB), used_bytes: Some(used), reserved_bytes: None },
    };
    let divided = GpuDetails {
        gpu_percent: None,
        memory_percent: None,
        encoder_percent: None,
        decoder_percent: None,
        fan_percent: None,
        mig_enabled: Some(true),
        mig_instances: vec![instance(0, 12 * GIB), instance(1, 35 * GIB)],
        ..details()
    };
    let mut only = gpu(0, 47 * GIB, &holders);
    only.details = Some(Box::new(divided));
    stats(GpuAccess::Ready, Some(vec![only]), holders)
}

/// One GPU that is there, one that has fallen off the bus, one that fails.
pub(super) fn lost() -> Stats {
    let holders = vec![holder(0, 47_392, Some(8 * GIB), Some("CodeExpert"))];
    let broken = |index, health| Gpu {
        identity: GpuIdentity { uuid: None, ..gpu(index, 0, &[]).identity },
        health,
        vram: Vram::default(),
        processes: None,
        details: None,
    };
    let gpus = vec![
        gpu(0, 8 * GIB, &holders),
        broken(1, GpuHealth::Lost),
        broken(2, GpuHealth::Failed("Unknown Error".into())),
    ];
    stats(GpuAccess::Ready, Some(gpus), holders)
}

/// A report of a container.
pub(super) fn container() -> Stats {
    let mut stats = known();
    stats.foreign_pids = true;
    for holder in &mut stats.holders {
        (holder.persona, holder.comm, holder.argv, holder.uid) = (None, None, None, None);
    }
    stats
}

/// A machine on which nothing could be looked at.
pub(super) fn none(access: GpuAccess) -> Stats {
    stats(access, None, Vec::new())
}
