//! What a report tells of a GPU beyond its memory. Each value is asked for by
//! itself: what a card does not support is unknown, and the rest is told.

use nvml_wrapper::{
    Device,
    bitmasks::device::ThrottleReasons,
    enum_wrappers::device::{
        Clock, ComputeMode, EccCounter, MemoryError, PcieUtilCounter, PerformanceState,
        TemperatureSensor,
    },
};

use super::{plausible, session::vram};
use crate::model::{GpuDetails, MigInstance};

/// Everything, by some thirty calls. That for PCIe takes 20 ms each way: the
/// driver counts for so long.
pub(super) fn of(device: &Device<'_>) -> GpuDetails {
    let rates = device.utilization_rates().ok();
    let ecc = |error| device.total_ecc_errors(error, EccCounter::Volatile).ok();
    let clock = |clock| device.clock_info(clock).ok().and_then(plausible::megahertz);
    let pcie = |way| {
        let kibibytes = device.pcie_throughput(way).ok().and_then(plausible::small_count)?;
        Some(u64::from(kibibytes) * 1024)
    };
    let mig = device.mig_mode().ok().map(|mode| mode.current == 1);
    GpuDetails {
        gpu_percent: rates.as_ref().and_then(|rates| plausible::percent(rates.gpu)),
        memory_percent: rates.as_ref().and_then(|rates| plausible::percent(rates.memory)),
        encoder_percent: device
            .encoder_utilization()
            .ok()
            .and_then(|encoder| plausible::percent(encoder.utilization)),
        decoder_percent: device
            .decoder_utilization()
            .ok()
            .and_then(|decoder| plausible::percent(decoder.utilization)),
        temperature_celsius: device
            .temperature(TemperatureSensor::Gpu)
            .ok()
            .and_then(plausible::celsius),
        fan_percent: device.fan_speed(0).ok().and_then(plausible::percent),
        power_milliwatts: device.power_usage().ok().and_then(plausible::milliwatts),
        power_limit_milliwatts: device.enforced_power_limit().ok().and_then(plausible::milliwatts),
        sm_clock_mhz: clock(Clock::SM),
        memory_clock_mhz: clock(Clock::Memory),
        performance_state: device.performance_state().ok().and_then(performance_state),
        throttle_reasons: device.current_throttle_reasons().ok().map(throttle_reasons),
        ecc_enabled: device.is_ecc_enabled().ok().map(|ecc| ecc.currently_enabled),
        ecc_corrected: ecc(MemoryError::Corrected).and_then(plausible::count),
        ecc_uncorrected: ecc(MemoryError::Uncorrected).and_then(plausible::count),
        pcie_rx_bytes_per_second: pcie(PcieUtilCounter::Receive),
        pcie_tx_bytes_per_second: pcie(PcieUtilCounter::Send),
        pcie_generation: device.current_pcie_link_gen().ok().and_then(plausible::small_count),
        pcie_width: device.current_pcie_link_width().ok().and_then(plausible::small_count),
        persistence_mode: device.is_in_persistent_mode().ok(),
        display_active: device.is_display_active().ok(),
        compute_mode: device.compute_mode().ok().map(compute_mode),
        mig_enabled: mig,
        mig_instances: if mig == Some(true) { mig_instances(device) } else { Vec::new() },
        accounting_enabled: device.is_accounting_enabled().ok(),
    }
}

fn performance_state(state: PerformanceState) -> Option<u32> {
    (state != PerformanceState::Unknown).then(|| state.as_c())
}

fn compute_mode(mode: ComputeMode) -> &'static str {
    match mode {
        ComputeMode::Default => "Default",
        ComputeMode::ExclusiveThread => "Exclusive Thread",
        ComputeMode::Prohibited => "Prohibited",
        ComputeMode::ExclusiveProcess => "Exclusive Process",
    }
}

/// In words. What NVML has a bit for without being a reason is left out: a GPU
/// that has nothing to do is not slowed by that.
fn throttle_reasons(reasons: ThrottleReasons) -> Vec<&'static str> {
    const WORDS: [(ThrottleReasons, &str); 8] = [
        (ThrottleReasons::APPLICATIONS_CLOCKS_SETTING, "application clocks setting"),
        (ThrottleReasons::SW_POWER_CAP, "power limit"),
        (ThrottleReasons::HW_SLOWDOWN, "hardware slowdown"),
        (ThrottleReasons::SYNC_BOOST, "sync boost group"),
        (ThrottleReasons::SW_THERMAL_SLOWDOWN, "too hot (software)"),
        (ThrottleReasons::HW_THERMAL_SLOWDOWN, "too hot (hardware)"),
        (ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN, "external power brake"),
        (ThrottleReasons::DISPLAY_CLOCK_SETTING, "display clocks setting"),
    ];
    WORDS.iter().filter(|(bit, _)| reasons.contains(*bit)).map(|(_, word)| *word).collect()
}

/// Numbers may have gaps: instances come and go one by one.
fn mig_instances(device: &Device<'_>) -> Vec<MigInstance> {
    let count = device.mig_device_count().unwrap_or(0);
    (0..count)
        .filter_map(|index| {
            let instance = device.mig_device_by_index(index).ok()?;
            Some(MigInstance {
                index,
                uuid: instance.uuid().ok().map(Into::into),
                name: instance.name().ok().map(Into::into),
                gpu_instance_id: instance_id(&instance, Instance::Gpu),
                compute_instance_id: instance_id(&instance, Instance::Compute),
                vram: vram(&instance),
            })
        })
        .collect()
}

/// The two ids that nvml-wrapper has no call for.
#[derive(Clone, Copy)]
enum Instance {
    Gpu,
    Compute,
}

fn instance_id(instance: &Device<'_>, which: Instance) -> Option<u32> {
    let library = instance.nvml().lib();
    let call = match which {
        Instance::Gpu => library.nvmlDeviceGetGpuInstanceId.as_ref(),
        Instance::Compute => library.nvmlDeviceGetComputeInstanceId.as_ref(),
    };
    let call = call.ok()?;
    // SAFETY: the handle is passed on below and not kept.
    let handle = unsafe { instance.handle() };
    let mut id = u32::MAX;
    // SAFETY: the handle is one of this library's, which stays loaded as long
    // as `instance` lives, and the library writes one number to the address.
    let result = unsafe { call(handle, &raw mut id) };
    (result == 0).then_some(id).and_then(plausible::small_count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words_and_none_is_no_reason() {
        assert!(throttle_reasons(ThrottleReasons::NONE).is_empty());
        let both = ThrottleReasons::SW_POWER_CAP | ThrottleReasons::HW_THERMAL_SLOWDOWN;
        assert_eq!(throttle_reasons(both), ["power limit", "too hot (hardware)"]);
    }

    #[test]
    fn to_be_idle_is_not_to_be_slowed() {
        assert!(throttle_reasons(ThrottleReasons::GPU_IDLE).is_empty());
        let busy_again = ThrottleReasons::GPU_IDLE | ThrottleReasons::SW_POWER_CAP;
        assert_eq!(throttle_reasons(busy_again), ["power limit"]);
    }

    #[test]
    fn states_are_numbers() {
        assert_eq!(performance_state(PerformanceState::Zero), Some(0));
        assert_eq!(performance_state(PerformanceState::Fifteen), Some(15));
        assert_eq!(performance_state(PerformanceState::Unknown), None);
    }
}
