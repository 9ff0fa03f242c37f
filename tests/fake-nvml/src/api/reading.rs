//! Readings of a GPU: one number each, or a few.
#![allow(non_snake_case, reason = "the names are nvml.h's")]

use std::ffi::{c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings as nvml;
use nvml_wrapper_sys::bindings::{
    nvmlClockType_t, nvmlComputeMode_t, nvmlDevice_t, nvmlEccCounterType_t, nvmlEnableState_t,
    nvmlMemoryErrorType_t, nvmlPcieUtilCounter_t, nvmlPstates_t, nvmlReturn_t,
    nvmlTemperatureSensors_t, nvmlUtilization_t,
};

use crate::answer::{Refusal, supported};
use crate::library::call;
use crate::output::Out;
use crate::script::{ComputeMode, Gpu};

/// Over which time encoder and decoder are sampled, in microseconds.
const SAMPLING_PERIOD_US: c_uint = 167_000;

/// Functions that hand over one reading of a GPU.
macro_rules! readings {
    ($(fn $name:ident($out:ty) = $reading:expr;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(device: nvmlDevice_t, out: *mut $out) -> nvmlReturn_t {
            // SAFETY: the text of the module above.
            let out = unsafe { Out::new(out) };
            call(stringify!($name), |now| {
                let reading: Option<$out> = $reading(now.gpu(device)?);
                out.set(supported(reading)?)
            })
        }
    )*};
}

readings! {
    fn nvmlDeviceGetNumFans(c_uint) = |gpu: &Gpu| gpu.fan_percent.map(|_| 1);
    fn nvmlDeviceGetPowerUsage(c_uint) = |gpu: &Gpu| gpu.power_milliwatts;
    fn nvmlDeviceGetEnforcedPowerLimit(c_uint) = |gpu: &Gpu| gpu.power_limit_milliwatts;
    fn nvmlDeviceGetPerformanceState(nvmlPstates_t) = |gpu: &Gpu| gpu.performance_state;
    fn nvmlDeviceGetCurrentClocksThrottleReasons(c_ulonglong) = |gpu: &Gpu| gpu.throttle_reasons;
    fn nvmlDeviceGetCurrPcieLinkGeneration(c_uint) = |gpu: &Gpu| gpu.pcie.generation;
    fn nvmlDeviceGetCurrPcieLinkWidth(c_uint) = |gpu: &Gpu| gpu.pcie.width;
    fn nvmlDeviceGetPersistenceMode(nvmlEnableState_t) =
        |gpu: &Gpu| gpu.persistence_mode.map(nvmlEnableState_t::from);
    fn nvmlDeviceGetDisplayActive(nvmlEnableState_t) =
        |gpu: &Gpu| gpu.display_active.map(nvmlEnableState_t::from);
    fn nvmlDeviceGetAccountingMode(nvmlEnableState_t) =
        |gpu: &Gpu| gpu.accounting_enabled.map(nvmlEnableState_t::from);
    fn nvmlDeviceGetComputeMode(nvmlComputeMode_t) =
        |gpu: &Gpu| gpu.compute_mode.map(ComputeMode::number);
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetUtilizationRates(
    device: nvmlDevice_t,
    utilization: *mut nvmlUtilization_t,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let out = unsafe { Out::new(utilization) };
    call("nvmlDeviceGetUtilizationRates", |now| {
        let said = now.gpu(device)?.utilization;
        let (gpu, memory) = (supported(said.gpu)?, supported(said.memory)?);
        out.set(nvmlUtilization_t { gpu, memory })
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetEncoderUtilization(
    device: nvmlDevice_t,
    utilization: *mut c_uint,
    period: *mut c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let utilization = unsafe { Out::new(utilization) };
    // SAFETY: likewise.
    let period = unsafe { Out::new(period) };
    call("nvmlDeviceGetEncoderUtilization", |now| {
        utilization.set(supported(now.gpu(device)?.utilization.encoder)?)?;
        period.set(SAMPLING_PERIOD_US)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetDecoderUtilization(
    device: nvmlDevice_t,
    utilization: *mut c_uint,
    period: *mut c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let utilization = unsafe { Out::new(utilization) };
    // SAFETY: likewise.
    let period = unsafe { Out::new(period) };
    call("nvmlDeviceGetDecoderUtilization", |now| {
        utilization.set(supported(now.gpu(device)?.utilization.decoder)?)?;
        period.set(SAMPLING_PERIOD_US)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetTemperature(
    device: nvmlDevice_t,
    sensor: nvmlTemperatureSensors_t,
    celsius: *mut c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let celsius = unsafe { Out::new(celsius) };
    call("nvmlDeviceGetTemperature", |now| {
        let gpu = now.gpu(device)?;
        if sensor != nvml::nvmlTemperatureSensors_enum_NVML_TEMPERATURE_GPU {
            return Err(Refusal::INVALID_ARGUMENT);
        }
        celsius.set(supported(gpu.temperature_celsius)?)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetFanSpeed_v2(
    device: nvmlDevice_t,
    fan: c_uint,
    percent: *mut c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let out = unsafe { Out::new(percent) };
    call("nvmlDeviceGetFanSpeed_v2", |now| {
        let percent = supported(now.gpu(device)?.fan_percent)?;
        // There is one.
        if fan == 0 { out.set(percent) } else { Err(Refusal::INVALID_ARGUMENT) }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetClockInfo(
    device: nvmlDevice_t,
    clock: nvmlClockType_t,
    mhz: *mut c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let mhz = unsafe { Out::new(mhz) };
    call("nvmlDeviceGetClockInfo", |now| {
        let clocks = now.gpu(device)?.clocks;
        mhz.set(supported(of_clock(clock, clocks.sm_mhz, clocks.memory_mhz))?)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMaxClockInfo(
    device: nvmlDevice_t,
    clock: nvmlClockType_t,
    mhz: *mut c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let mhz = unsafe { Out::new(mhz) };
    call("nvmlDeviceGetMaxClockInfo", |now| {
        let clocks = now.gpu(device)?.clocks;
        mhz.set(supported(of_clock(clock, clocks.max_sm_mhz, clocks.max_memory_mhz))?)
    })
}

/// The graphics clock goes with that of the multiprocessors; no other is known.
fn of_clock(clock: nvmlClockType_t, sm: Option<u32>, memory: Option<u32>) -> Option<u32> {
    match clock {
        nvml::nvmlClockType_enum_NVML_CLOCK_SM | nvml::nvmlClockType_enum_NVML_CLOCK_GRAPHICS => sm,
        nvml::nvmlClockType_enum_NVML_CLOCK_MEM => memory,
        _ => None,
    }
}

/// No change of the mode is ever pending.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetEccMode(
    device: nvmlDevice_t,
    current: *mut nvmlEnableState_t,
    pending: *mut nvmlEnableState_t,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let current = unsafe { Out::new(current) };
    // SAFETY: likewise.
    let pending = unsafe { Out::new(pending) };
    call("nvmlDeviceGetEccMode", |now| {
        let enabled = supported(now.gpu(device)?.ecc.enabled)?.into();
        current.set(enabled)?;
        pending.set(enabled)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetTotalEccErrors(
    device: nvmlDevice_t,
    error: nvmlMemoryErrorType_t,
    counter: nvmlEccCounterType_t,
    count: *mut c_ulonglong,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let count = unsafe { Out::new(count) };
    call("nvmlDeviceGetTotalEccErrors", |now| {
        let ecc = now.gpu(device)?.ecc;
        // Those since the card was made are not in the script.
        if counter != nvml::nvmlEccCounterType_enum_NVML_VOLATILE_ECC {
            return Err(Refusal::NOT_SUPPORTED);
        }
        let said = match error {
            nvml::nvmlMemoryErrorType_enum_NVML_MEMORY_ERROR_TYPE_CORRECTED => ecc.corrected,
            nvml::nvmlMemoryErrorType_enum_NVML_MEMORY_ERROR_TYPE_UNCORRECTED => ecc.uncorrected,
            _ => return Err(Refusal::INVALID_ARGUMENT),
        };
        count.set(supported(said)?)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetPcieThroughput(
    device: nvmlDevice_t,
    counter: nvmlPcieUtilCounter_t,
    kb_per_second: *mut c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let out = unsafe { Out::new(kb_per_second) };
    call("nvmlDeviceGetPcieThroughput", |now| {
        let pcie = now.gpu(device)?.pcie;
        let said = match counter {
            nvml::nvmlPcieUtilCounter_enum_NVML_PCIE_UTIL_TX_BYTES => pcie.tx_kb_per_second,
            nvml::nvmlPcieUtilCounter_enum_NVML_PCIE_UTIL_RX_BYTES => pcie.rx_kb_per_second,
            _ => return Err(Refusal::INVALID_ARGUMENT),
        };
        out.set(supported(said)?)
    })
}
