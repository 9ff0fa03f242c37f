//! Memory of GPUs and instances.
#![allow(non_snake_case, reason = "the names are nvml.h's")]

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings::{nvmlDevice_t, nvmlMemory_t, nvmlMemory_v2_t, nvmlReturn_t};

use crate::answer::{Answer, Refusal};
use crate::library::{Device, Now, call};
use crate::output::Out;

/// Bytes of a device's memory.
struct Vram {
    total: u64,
    used: u64,
    reserved: u64,
}

fn vram_of(now: &Now, device: nvmlDevice_t) -> Answer<Vram> {
    let elapsed = now.elapsed;
    let (memory, used) = match now.device(device)? {
        Device::Gpu(gpu) => (&gpu.memory, gpu.memory.used_by(gpu.running(elapsed), elapsed)),
        Device::Mig(gpu, mig) => {
            let processes = gpu.running(elapsed).filter(|process| mig.has(process));
            (&mig.memory, mig.memory.used_by(processes, elapsed))
        }
    };
    Ok(Vram { total: memory.total.0, used, reserved: memory.reserved.0 })
}

/// This older one counts what the driver keeps for itself as used.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMemoryInfo(
    device: nvmlDevice_t,
    memory: *mut nvmlMemory_t,
) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let memory = unsafe { Out::new(memory) };
    call("nvmlDeviceGetMemoryInfo", |now| {
        let vram = vram_of(now, device)?;
        let used = vram.used.saturating_add(vram.reserved);
        memory.set(nvmlMemory_t { total: vram.total, free: vram.total.saturating_sub(used), used })
    })
}

/// Which of the layouts a caller has must stand in the structure: its size,
/// and its version in the highest byte (nvml.h's `NVML_STRUCT_VERSION`).
const VERSION_2: usize = size_of::<nvmlMemory_v2_t>() | 2 << 24;

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetMemoryInfo_v2(
    device: nvmlDevice_t,
    memory: *mut nvmlMemory_v2_t,
) -> nvmlReturn_t {
    // SAFETY: the module's text; the version is the first field.
    let version = unsafe { Out::<c_uint>::new(memory.cast()) };
    // SAFETY: the module's text.
    let memory = unsafe { Out::new(memory) };
    call("nvmlDeviceGetMemoryInfo_v2", |now| {
        let version = version.get()?;
        if usize::try_from(version) != Ok(VERSION_2) {
            return Err(Refusal::VERSION_MISMATCH);
        }
        let Vram { total, used, reserved } = vram_of(now, device)?;
        let free = total.saturating_sub(used).saturating_sub(reserved);
        memory.set(nvmlMemory_v2_t { version, total, reserved, free, used })
    })
}
