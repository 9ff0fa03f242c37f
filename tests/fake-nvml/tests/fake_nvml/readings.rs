//! Readings of a GPU: those that are said, and those that are not.

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{
    Clock, ComputeMode, EccCounter, MemoryError, PcieUtilCounter, PerformanceState,
    TemperatureSensor,
};

use crate::fails;
use crate::machine::Machine;

const ALL: &str = r#"
[[gpu]]
memory.total = "40 GiB"
utilization = { gpu = 97, memory = 40, encoder = 1, decoder = 3 }
temperature_celsius = 61
fan_percent = 30
power_milliwatts = 312000
power_limit_milliwatts = 400000
clocks = { sm_mhz = 1410, memory_mhz = 1215, max_sm_mhz = 1980, max_memory_mhz = 2619 }
performance_state = 2
throttle_reasons = 0x4
ecc = { enabled = true, corrected = 2, uncorrected = 1 }
pcie = { rx_kb_per_second = 1200, tx_kb_per_second = 800, generation = 4, width = 16 }
persistence_mode = true
display_active = false
compute_mode = "exclusive_process"
mig_enabled = false
accounting_enabled = true
"#;

#[test]
fn all_that_are_said() {
    let machine = Machine::new(ALL);
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    let utilization = gpu.utilization_rates().unwrap();
    assert_eq!((utilization.gpu, utilization.memory), (97, 40));
    assert_eq!(gpu.encoder_utilization().unwrap().utilization, 1);
    assert_eq!(gpu.decoder_utilization().unwrap().utilization, 3);
    assert_eq!(gpu.temperature(TemperatureSensor::Gpu).unwrap(), 61);
    assert_eq!((gpu.num_fans().unwrap(), gpu.fan_speed(0).unwrap()), (1, 30));
    fails!(gpu.fan_speed(1), InvalidArg);
    assert_eq!(gpu.power_usage().unwrap(), 312_000);
    assert_eq!(gpu.enforced_power_limit().unwrap(), 400_000);
    assert_eq!(gpu.clock_info(Clock::SM).unwrap(), 1410);
    assert_eq!(gpu.clock_info(Clock::Graphics).unwrap(), 1410);
    assert_eq!(gpu.clock_info(Clock::Memory).unwrap(), 1215);
    assert_eq!(gpu.max_clock_info(Clock::SM).unwrap(), 1980);
    assert_eq!(gpu.max_clock_info(Clock::Memory).unwrap(), 2619);
    fails!(gpu.clock_info(Clock::Video), NotSupported);
    assert_eq!(gpu.performance_state().unwrap(), PerformanceState::Two);
    assert_eq!(gpu.current_throttle_reasons().unwrap(), ThrottleReasons::SW_POWER_CAP);
    let ecc = gpu.is_ecc_enabled().unwrap();
    assert!(ecc.currently_enabled && ecc.pending_enabled);
    let errors = |error| gpu.total_ecc_errors(error, EccCounter::Volatile).unwrap();
    assert_eq!((errors(MemoryError::Corrected), errors(MemoryError::Uncorrected)), (2, 1));
    fails!(gpu.total_ecc_errors(MemoryError::Corrected, EccCounter::Aggregate), NotSupported);
    assert_eq!(gpu.pcie_throughput(PcieUtilCounter::Receive).unwrap(), 1200);
    assert_eq!(gpu.pcie_throughput(PcieUtilCounter::Send).unwrap(), 800);
    assert_eq!(gpu.current_pcie_link_gen().unwrap(), 4);
    assert_eq!(gpu.current_pcie_link_width().unwrap(), 16);
    assert!(gpu.is_in_persistent_mode().unwrap());
    assert!(!gpu.is_display_active().unwrap());
    assert_eq!(gpu.compute_mode().unwrap(), ComputeMode::ExclusiveProcess);
    assert_eq!(gpu.mig_mode().unwrap().current, 0);
    assert!(gpu.is_accounting_enabled().unwrap());
}

#[test]
fn what_is_left_out_is_not_supported() {
    let machine = Machine::new("[[gpu]]\nmemory.total = 1\nutilization.gpu = 3");
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    fails!(gpu.utilization_rates(), NotSupported);
    fails!(gpu.encoder_utilization(), NotSupported);
    fails!(gpu.decoder_utilization(), NotSupported);
    fails!(gpu.temperature(TemperatureSensor::Gpu), NotSupported);
    fails!(gpu.num_fans(), NotSupported);
    fails!(gpu.fan_speed(0), NotSupported);
    fails!(gpu.power_usage(), NotSupported);
    fails!(gpu.enforced_power_limit(), NotSupported);
    fails!(gpu.clock_info(Clock::SM), NotSupported);
    fails!(gpu.max_clock_info(Clock::Memory), NotSupported);
    fails!(gpu.performance_state(), NotSupported);
    fails!(gpu.current_throttle_reasons(), NotSupported);
    fails!(gpu.is_ecc_enabled(), NotSupported);
    fails!(gpu.total_ecc_errors(MemoryError::Corrected, EccCounter::Volatile), NotSupported);
    fails!(gpu.pcie_throughput(PcieUtilCounter::Send), NotSupported);
    fails!(gpu.current_pcie_link_gen(), NotSupported);
    fails!(gpu.current_pcie_link_width(), NotSupported);
    fails!(gpu.is_in_persistent_mode(), NotSupported);
    fails!(gpu.is_display_active(), NotSupported);
    fails!(gpu.compute_mode(), NotSupported);
    fails!(gpu.mig_mode(), NotSupported);
    fails!(gpu.is_accounting_enabled(), NotSupported);
}

#[test]
fn modes() {
    let with = |mode: &str| format!("[[gpu]]\nmemory.total = 1\ncompute_mode = '{mode}'");
    let machine = Machine::new(&with("default"));
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    assert_eq!(gpu.compute_mode().unwrap(), ComputeMode::Default);
    machine.replace(&with("prohibited"));
    assert_eq!(gpu.compute_mode().unwrap(), ComputeMode::Prohibited);
}
