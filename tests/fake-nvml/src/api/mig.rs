//! GPUs that are divided into instances.
#![allow(non_snake_case, reason = "the names are nvml.h's")]

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings::{nvmlDevice_t, nvmlReturn_t};

use crate::answer::{Answer, Refusal, supported};
use crate::library::{Device, Handle, Now, call};
use crate::output::Out;
use crate::script::Mig;

/// No change of the mode is ever pending.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMigMode(
    device: nvmlDevice_t,
    current: *mut c_uint,
    pending: *mut c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let current = unsafe { Out::new(current) };
    // SAFETY: likewise.
    let pending = unsafe { Out::new(pending) };
    call("nvmlDeviceGetMigMode", |now| {
        let enabled = supported(now.gpu(device)?.mig_enabled)?.into();
        current.set(enabled)?;
        pending.set(enabled)
    })
}

/// 0 where the GPU is not divided or cannot be, as nvml.h has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMaxMigDeviceCount(
    device: nvmlDevice_t,
    count: *mut c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let count = unsafe { Out::new(count) };
    call("nvmlDeviceGetMaxMigDeviceCount", |now| {
        let instances = now.gpu(device)?.instances().len();
        count.set(c_uint::try_from(instances).map_err(|_| Refusal::UNKNOWN)?)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMigDeviceHandleByIndex(
    device: nvmlDevice_t,
    index: c_uint,
    mig: *mut nvmlDevice_t,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let out = unsafe { Out::new(mig) };
    call("nvmlDeviceGetMigDeviceHandleByIndex", |now| {
        let gpu = now.gpu(device)?;
        supported(gpu.mig_enabled)?;
        let mig = usize::try_from(index).map_err(|_| Refusal::INVALID_ARGUMENT)?;
        gpu.instances().get(mig).ok_or(Refusal::NOT_FOUND)?;
        let parent = Handle::from_raw(device).ok_or(Refusal::INVALID_ARGUMENT)?;
        let handle = Handle { mig: Some(mig), ..parent };
        out.set(handle.to_raw().ok_or(Refusal::UNKNOWN)?)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetDeviceHandleFromMigDeviceHandle(
    mig: nvmlDevice_t,
    device: *mut nvmlDevice_t,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let out = unsafe { Out::new(device) };
    call("nvmlDeviceGetDeviceHandleFromMigDeviceHandle", |now| {
        instance(now, mig)?;
        let handle = Handle::from_raw(mig).ok_or(Refusal::INVALID_ARGUMENT)?;
        out.set(Handle { mig: None, ..handle }.to_raw().ok_or(Refusal::UNKNOWN)?)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceIsMigDeviceHandle(
    device: nvmlDevice_t,
    is_mig: *mut c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let is_mig = unsafe { Out::new(is_mig) };
    call("nvmlDeviceIsMigDeviceHandle", |now| {
        is_mig.set(matches!(now.device(device)?, Device::Mig(..)).into())
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetGpuInstanceId(
    device: nvmlDevice_t,
    id: *mut c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let id = unsafe { Out::new(id) };
    call("nvmlDeviceGetGpuInstanceId", |now| {
        id.set(supported(instance(now, device)?.gpu_instance_id)?)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetComputeInstanceId(
    device: nvmlDevice_t,
    id: *mut c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let id = unsafe { Out::new(id) };
    call("nvmlDeviceGetComputeInstanceId", |now| {
        id.set(supported(instance(now, device)?.compute_instance_id)?)
    })
}

fn instance(now: &Now, device: nvmlDevice_t) -> Answer<&Mig> {
    match now.device(device)? {
        Device::Mig(_, mig) => Ok(mig),
        Device::Gpu(_) => Err(Refusal::INVALID_ARGUMENT),
    }
}
