//! GPUs that are divided into instances.

use std::ffi::c_uint;

use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings::{
    nvmlReturn_enum_NVML_ERROR_INVALID_ARGUMENT as INVALID_ARGUMENT,
    nvmlReturn_enum_NVML_SUCCESS as SUCCESS,
};

use crate::fails;
use crate::machine::Machine;

const DIVIDED: &str = r#"
[[gpu]]
name = "whole"
memory.total = "40 GiB"
[[gpu]]
name = "divided"
memory.total = "40 GiB"
mig_enabled = true
utilization = { gpu = 1, memory = 1 }
mig = [
    { uuid = "MIG-a", name = "1g.5gb", gpu_instance_id = 7, compute_instance_id = 0, memory.total = "5 GiB" },
    { uuid = "MIG-b", gpu_instance_id = 8, compute_instance_id = 0, memory.total = "5 GiB" },
]
process = [
    { pid = 1, vram = "1 GiB", gpu_instance_id = 7, compute_instance_id = 0 },
    { pid = 2, vram = "2 GiB", gpu_instance_id = 8, compute_instance_id = 0 },
]
"#;

fn pids(device: &Device<'_>) -> Vec<u32> {
    device.running_compute_processes().unwrap().iter().map(|process| process.pid).collect()
}

fn instance_ids(nvml: &Nvml, device: &Device<'_>) -> [(u32, c_uint); 2] {
    // SAFETY: used while its library is loaded.
    let handle = unsafe { device.handle() };
    let (mut gpu, mut compute) = (99, 99);
    // SAFETY: a device of this library, and a local variable.
    let of_gpu = unsafe { nvml.lib().nvmlDeviceGetGpuInstanceId(handle, &raw mut gpu) };
    // SAFETY: likewise.
    let of_compute = unsafe { nvml.lib().nvmlDeviceGetComputeInstanceId(handle, &raw mut compute) };
    [(of_gpu, gpu), (of_compute, compute)]
}

#[test]
fn instances() {
    let machine = Machine::new(DIVIDED);
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(1).unwrap();
    assert_eq!(gpu.mig_mode().unwrap().current, 1);
    assert_eq!(gpu.mig_device_count().unwrap(), 2);
    assert!(!gpu.mig_is_mig_device_handle().unwrap());

    let first = gpu.mig_device_by_index(0).unwrap();
    assert!(first.mig_is_mig_device_handle().unwrap());
    assert_eq!(first.mig_parent_device().unwrap().name().unwrap(), "divided");
    assert_eq!((first.name().unwrap(), first.uuid().unwrap()), ("1g.5gb".into(), "MIG-a".into()));
    assert_eq!(instance_ids(&nvml, &first), [(SUCCESS, 7), (SUCCESS, 0)]);
    let memory = first.memory_info().unwrap();
    assert_eq!((memory.total, memory.used), (5 << 30, 1 << 30));

    let second = nvml.device_by_uuid("MIG-b").unwrap();
    assert_eq!(second.index().unwrap(), 1);
    fails!(second.name(), NotSupported);
    assert_eq!((pids(&first), pids(&second), pids(&gpu)), (vec![1], vec![2], vec![1, 2]));
}

#[test]
fn what_only_one_kind_of_device_has() {
    let machine = Machine::new(DIVIDED);
    let nvml = machine.nvml();
    let (whole, gpu) = (nvml.device_by_index(0).unwrap(), nvml.device_by_index(1).unwrap());
    fails!(whole.mig_mode(), NotSupported);
    assert_eq!(whole.mig_device_count().unwrap(), 0);
    fails!(whole.mig_device_by_index(0), NotSupported);
    fails!(gpu.mig_device_by_index(2), NotFound);
    assert_eq!(instance_ids(&nvml, &gpu), [(INVALID_ARGUMENT, 99), (INVALID_ARGUMENT, 99)]);
    let first = gpu.mig_device_by_index(0).unwrap();
    assert_eq!(gpu.utilization_rates().unwrap().gpu, 1);
    fails!(first.utilization_rates(), NotSupported);
}

#[test]
fn instances_go_when_the_mode_does() {
    let machine = Machine::new(DIVIDED);
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(1).unwrap();
    let first = gpu.mig_device_by_index(0).unwrap();
    machine.replace(&DIVIDED.replace("mig_enabled = true", "mig_enabled = false"));
    assert_eq!(gpu.mig_device_count().unwrap(), 0);
    fails!(gpu.mig_device_by_index(0), NotFound);
    fails!(first.memory_info(), InvalidArg);
    fails!(nvml.device_by_uuid("MIG-a"), NotFound);
}
