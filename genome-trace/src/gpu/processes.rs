//! Who holds memory on a GPU: the driver's lists as one.

use nvml_wrapper::{
    Device, enums::device::UsedGpuMemory, error::NvmlError, struct_wrappers::device::ProcessInfo,
};

use super::plausible;
use crate::model::{GpuProcess, GpuProcessType, GpuProcessUtilization};

/// Every process that the driver names, by PID. MPS clients compute.
///
/// # Errors
/// No list can be had: who holds what is not known.
pub(super) fn on(
    device: &Device<'_>,
    total_bytes: Option<u64>,
) -> Result<Vec<GpuProcess>, NvmlError> {
    let mut found = Vec::new();
    let compute = device.running_compute_processes();
    let graphics = device.running_graphics_processes();
    let mps = device.mps_running_compute_processes();
    if let (Err(_), Err(_)) = (&compute, &graphics) {
        return Err(compute.err().unwrap_or(NvmlError::Unknown));
    }
    let lists = [
        (compute, GpuProcessType::Compute),
        (mps, GpuProcessType::Compute),
        (graphics, GpuProcessType::Graphics),
    ];
    for (list, process_type) in lists {
        for listed in list.unwrap_or_default() {
            merge(&mut found, process(&listed, process_type, total_bytes));
        }
    }
    found.sort_by_key(|process| {
        (process.tgid, process.gpu_instance_id, process.compute_instance_id)
    });
    Ok(found)
}

fn process(
    listed: &ProcessInfo,
    process_type: GpuProcessType,
    total_bytes: Option<u64>,
) -> GpuProcess {
    GpuProcess {
        tgid: listed.pid,
        process_type,
        vram_bytes: match listed.used_gpu_memory {
            UsedGpuMemory::Used(bytes) => plausible::vram(bytes, total_bytes),
            UsedGpuMemory::Unavailable => None,
        },
        accounted_peak_bytes: None,
        gpu_instance_id: listed.gpu_instance_id,
        compute_instance_id: listed.compute_instance_id,
        utilization: None,
    }
}

/// A process in two lists holds its memory once: each list has all of it.
fn merge(found: &mut Vec<GpuProcess>, next: GpuProcess) {
    let place =
        |process: &GpuProcess| (process.tgid, process.gpu_instance_id, process.compute_instance_id);
    match found.iter_mut().find(|known| place(known) == place(&next)) {
        Some(known) => {
            known.vram_bytes = known.vram_bytes.max(next.vram_bytes);
            if known.process_type != next.process_type {
                known.process_type = GpuProcessType::Both;
            }
        }
        None => found.push(next),
    }
}

/// Adds the most that each process has held, from the driver's accounting.
pub(super) fn add_accounts(
    device: &Device<'_>,
    processes: &mut [GpuProcess],
    total_bytes: Option<u64>,
) {
    if !device.is_accounting_enabled().unwrap_or(false) {
        return;
    }
    for process in processes {
        process.accounted_peak_bytes = device
            .accounting_stats_for(process.tgid)
            .ok()
            .and_then(|account| plausible::vram(account.max_memory_usage?, total_bytes));
    }
}

/// Adds how busy each process keeps the GPU, by its last sample; one that the
/// driver does not name has kept nothing busy, as long as it names any.
pub(super) fn add_utilization(device: &Device<'_>, processes: &mut [GpuProcess]) {
    let Ok(samples) = device.process_utilization_stats(None) else { return };
    for process in processes {
        let last = samples
            .iter()
            .filter(|sample| sample.pid == process.tgid)
            .max_by_key(|sample| sample.timestamp);
        process.utilization = match last {
            Some(last) => (|| {
                Some(GpuProcessUtilization {
                    sm_percent: plausible::percent(last.sm_util)?,
                    memory_percent: plausible::percent(last.mem_util)?,
                    encoder_percent: plausible::percent(last.enc_util)?,
                    decoder_percent: plausible::percent(last.dec_util)?,
                })
            })(),
            None if samples.is_empty() => None,
            None => Some(GpuProcessUtilization {
                sm_percent: 0,
                memory_percent: 0,
                encoder_percent: 0,
                decoder_percent: 0,
            }),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn listed(pid: u32, bytes: u64, gpu_instance_id: Option<u32>) -> ProcessInfo {
        ProcessInfo {
            pid,
            used_gpu_memory: UsedGpuMemory::from(bytes),
            gpu_instance_id,
            compute_instance_id: None,
        }
    }

    fn merged(lists: &[(ProcessInfo, GpuProcessType)]) -> Vec<(u32, GpuProcessType, Option<u64>)> {
        let mut found = Vec::new();
        for (info, process_type) in lists {
            merge(&mut found, process(info, *process_type, Some(8 * GIB)));
        }
        found.iter().map(|p| (p.tgid, p.process_type, p.vram_bytes)).collect()
    }

    #[test]
    fn a_process_in_both_lists_counts_once() {
        let lists = [
            (listed(7, GIB, None), GpuProcessType::Compute),
            (listed(8, GIB, None), GpuProcessType::Compute),
            (listed(7, GIB, None), GpuProcessType::Graphics),
        ];
        assert_eq!(
            merged(&lists),
            [(7, GpuProcessType::Both, Some(GIB)), (8, GpuProcessType::Compute, Some(GIB))]
        );
    }

    #[test]
    fn a_process_on_two_instances_is_told_for_each() {
        let lists = [
            (listed(7, GIB, Some(1)), GpuProcessType::Compute),
            (listed(7, 2 * GIB, Some(2)), GpuProcessType::Compute),
        ];
        assert_eq!(merged(&lists).len(), 2);
    }

    #[test]
    fn what_is_not_available_or_cannot_be_is_unknown() {
        let lists = [
            (listed(7, u64::MAX, None), GpuProcessType::Compute),
            (listed(8, 9 * GIB, None), GpuProcessType::Compute),
        ];
        assert_eq!(
            merged(&lists),
            [(7, GpuProcessType::Compute, None), (8, GpuProcessType::Compute, None)]
        );
    }
}
