//! The driver's versions, and who its GPUs are.

use crate::fails;
use crate::machine::Machine;

const TWO: &str = r#"
driver_version = "580.82.07"
cuda_version = "12.8"
[[gpu]]
name = "NVIDIA H100 80GB HBM3"
uuid = "GPU-a"
pci_bus_id = "00000000:65:00.0"
memory.total = "80 GiB"
[[gpu]]
memory.total = "80 GiB"
"#;

#[test]
fn versions() {
    let machine = Machine::new(TWO);
    let nvml = machine.nvml();
    assert_eq!(nvml.sys_driver_version().unwrap(), "580.82.07");
    assert_eq!(nvml.sys_cuda_driver_version().unwrap(), 12080);
    assert_eq!(nvml.sys_nvml_version().unwrap(), "12.580.82.07");
    machine.replace("");
    fails!(nvml.sys_driver_version(), NotSupported);
    fails!(nvml.sys_cuda_driver_version(), NotSupported);
    fails!(nvml.sys_nvml_version(), NotSupported);
}

#[test]
fn devices() {
    let machine = Machine::new(TWO);
    let nvml = machine.nvml();
    assert_eq!(nvml.device_count().unwrap(), 2);
    let first = nvml.device_by_index(0).unwrap();
    let second = nvml.device_by_index(1).unwrap();
    assert_eq!((first.index().unwrap(), second.index().unwrap()), (0, 1));
    assert_eq!(first.name().unwrap(), "NVIDIA H100 80GB HBM3");
    assert_eq!(first.uuid().unwrap(), "GPU-a");
    let pci = first.pci_info().unwrap();
    assert_eq!(pci.bus_id, "00000000:65:00.0");
    assert_eq!((pci.domain, pci.bus, pci.device), (0, 0x65, 0));
    fails!(second.name(), NotSupported);
    fails!(second.uuid(), NotSupported);
    fails!(second.pci_info(), NotSupported);
    fails!(nvml.device_by_index(2), InvalidArg);
}

#[test]
fn devices_by_name() {
    let machine = Machine::new(TWO);
    let nvml = machine.nvml();
    assert_eq!(nvml.device_by_uuid("GPU-a").unwrap().index().unwrap(), 0);
    assert_eq!(nvml.device_by_pci_bus_id("0000:65:00.0").unwrap().index().unwrap(), 0);
    fails!(nvml.device_by_uuid("GPU-b"), NotFound);
    fails!(nvml.device_by_pci_bus_id("0000:66:00.0"), NotFound);
    fails!(nvml.device_by_pci_bus_id("there"), InvalidArg);
}

#[test]
fn a_name_too_long_does_not_overflow() {
    let machine = Machine::new(&format!("[[gpu]]\nmemory.total = 1\nname = '{}'", "x".repeat(96)));
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    fails!(gpu.name(), InsufficientSize(_));
    machine.replace(&format!("[[gpu]]\nmemory.total = 1\nname = '{}'", "x".repeat(95)));
    assert_eq!(gpu.name().unwrap(), "x".repeat(95));
}

#[test]
fn a_gpu_is_lost_and_the_others_are_not() {
    let machine = Machine::new(TWO);
    let nvml = machine.nvml();
    let first = nvml.device_by_index(0).unwrap();
    let second = nvml.device_by_index(1).unwrap();
    machine.replace(&TWO.replacen("[[gpu]]", "[[gpu]]\nlost = true", 1));
    assert_eq!(nvml.device_count().unwrap(), 2);
    fails!(nvml.device_by_index(0), GpuLost);
    fails!(nvml.device_by_uuid("GPU-a"), GpuLost);
    fails!(first.index(), GpuLost);
    fails!(first.name(), GpuLost);
    fails!(first.memory_info(), GpuLost);
    fails!(first.running_compute_processes(), GpuLost);
    fails!(first.power_usage(), GpuLost);
    fails!(first.is_accounting_enabled(), GpuLost);
    assert_eq!(second.memory_info().unwrap().total, 80 << 30);
    machine.replace(TWO);
    assert_eq!(first.memory_info().unwrap().total, 80 << 30);
}

#[test]
fn a_gpu_that_is_gone_is_no_argument() {
    let machine = Machine::new(TWO);
    let nvml = machine.nvml();
    let second = nvml.device_by_index(1).unwrap();
    machine.replace("[[gpu]]\nmemory.total = 1");
    fails!(second.memory_info(), InvalidArg);
}
