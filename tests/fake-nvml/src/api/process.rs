//! Who holds memory on a device, how busy it keeps it, and what accounting
//! says of it.
#![allow(non_snake_case, reason = "the names are nvml.h's")]

use std::ffi::{c_uint, c_ulonglong};
use std::time::SystemTime;

use nvml_wrapper_sys::bindings::{
    nvmlAccountingStats_t, nvmlDevice_t, nvmlProcessInfo_t, nvmlProcessUtilizationSample_t,
    nvmlReturn_t,
};

use crate::answer::{Answer, Refusal, supported};
use crate::library::{Device, Now, call, microseconds};
use crate::output::{ListOut, Out};
use crate::script::{List, Process};

/// What stands in a number that is not known (nvml.h's
/// `NVML_VALUE_NOT_AVAILABLE`).
const NOT_AVAILABLE: c_uint = c_uint::MAX;

/// Functions that hand over one of the driver's lists. Versions 2 and 3 have
/// the same layout.
macro_rules! lists {
    ($(fn $name:ident = $list:expr;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            device: nvmlDevice_t,
            count: *mut c_uint,
            infos: *mut nvmlProcessInfo_t,
        ) -> nvmlReturn_t {
            // SAFETY: the text of the module above.
            let infos = unsafe { ListOut::new(count, infos) };
            call(stringify!($name), |now| infos.set(&listed(now, device, $list)?))
        }
    )*};
}

lists! {
    fn nvmlDeviceGetComputeRunningProcesses_v3 = Some(List::Compute);
    fn nvmlDeviceGetGraphicsRunningProcesses_v3 = Some(List::Graphics);
    fn nvmlDeviceGetMPSComputeRunningProcesses_v3 = None;
}

/// Nobody runs under MPS here: no list is an empty one.
fn listed(now: &Now, device: nvmlDevice_t, list: Option<List>) -> Answer<Vec<nvmlProcessInfo_t>> {
    let device = now.device(device)?;
    let (Device::Gpu(gpu) | Device::Mig(gpu, _)) = device;
    if !gpu.process_lists {
        return Err(Refusal::NOT_SUPPORTED);
    }
    let Some(list) = list else { return Ok(Vec::new()) };
    let is_on = |process: &Process| match device {
        Device::Gpu(_) => true,
        Device::Mig(_, mig) => mig.has(process),
    };
    let processes = gpu.running(now.elapsed).filter(|process| process.is_in(list));
    Ok(processes
        .filter(|process| is_on(process))
        .map(|process| nvmlProcessInfo_t {
            pid: process.pid,
            usedGpuMemory: process.vram.at(now.elapsed),
            gpuInstanceId: process.gpu_instance_id.unwrap_or(NOT_AVAILABLE),
            computeInstanceId: process.compute_instance_id.unwrap_or(NOT_AVAILABLE),
        })
        .collect())
}

/// There is always a new sample of each process, taken now. `last_seen` beyond
/// that finds none.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetProcessUtilization(
    device: nvmlDevice_t,
    samples: *mut nvmlProcessUtilizationSample_t,
    count: *mut c_uint,
    last_seen: c_ulonglong,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let out = unsafe { ListOut::new(count, samples) };
    call("nvmlDeviceGetProcessUtilization", |now| {
        let gpu = now.gpu(device)?;
        if !gpu.process.is_empty() && !gpu.process.iter().any(Process::has_utilization) {
            return Err(Refusal::NOT_SUPPORTED);
        }
        let time = microseconds(SystemTime::now());
        let samples: Vec<_> = gpu
            .running(now.elapsed)
            .filter(|process| process.has_utilization() && time > last_seen)
            .map(|process| nvmlProcessUtilizationSample_t {
                pid: process.pid,
                timeStamp: time,
                smUtil: process.sm_percent.unwrap_or(0),
                memUtil: process.memory_percent.unwrap_or(0),
                encUtil: process.encoder_percent.unwrap_or(0),
                decUtil: process.decoder_percent.unwrap_or(0),
            })
            .collect();
        if samples.is_empty() { Err(Refusal::NOT_FOUND) } else { out.set(&samples) }
    })
}

/// Accounting knows those that have ended, too, but none that is yet to come.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetAccountingStats(
    device: nvmlDevice_t,
    pid: c_uint,
    stats: *mut nvmlAccountingStats_t,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let stats = unsafe { Out::new(stats) };
    call("nvmlDeviceGetAccountingStats", |now| {
        let gpu = now.gpu(device)?;
        supported(gpu.accounting_enabled.filter(|enabled| *enabled))?;
        let (process, peak) = gpu
            .process
            .iter()
            .filter(|process| process.pid == pid && process.from.0 <= now.elapsed)
            .find_map(|process| Some((process, process.accounted_peak?)))
            .ok_or(Refusal::NOT_FOUND)?;
        let ended = process.until.filter(|until| until.0 <= now.elapsed);
        let ran = ended.map(|until| until.0.saturating_sub(process.from.0));
        stats.set(nvmlAccountingStats_t {
            gpuUtilization: process.sm_percent.unwrap_or(NOT_AVAILABLE),
            memoryUtilization: process.memory_percent.unwrap_or(NOT_AVAILABLE),
            maxMemoryUsage: peak.0,
            // Milliseconds, and 0 for those that still run.
            time: ran.map_or(0, |ran| u64::try_from(ran.as_millis()).unwrap_or(u64::MAX)),
            startTime: now.wall_clock(process.from.0).map_or(0, microseconds),
            isRunning: process.runs_at(now.elapsed).into(),
            reserved: [0; 5],
        })
    })
}
