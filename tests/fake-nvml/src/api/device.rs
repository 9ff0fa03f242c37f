//! Which devices there are, and who they are.
#![allow(non_snake_case, reason = "the names are nvml.h's")]

use std::ffi::{c_char, c_uint};

use nvml_wrapper_sys::bindings::{nvmlDevice_t, nvmlPciInfo_t, nvmlReturn_t};

use crate::answer::{Answer, Refusal, supported};
use crate::library::{Device, Handle, Now, call};
use crate::output::{Out, TextOut, field, text};
use crate::script::{Gpu, PciAddress};

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetCount_v2(count: *mut c_uint) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let count = unsafe { Out::new(count) };
    call("nvmlDeviceGetCount_v2", |now| {
        count.set(c_uint::try_from(now.script()?.gpu.len()).map_err(|_| Refusal::UNKNOWN)?)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetHandleByIndex_v2(
    index: c_uint,
    device: *mut nvmlDevice_t,
) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let device = unsafe { Out::new(device) };
    call("nvmlDeviceGetHandleByIndex_v2", |now| {
        let gpu = usize::try_from(index).map_err(|_| Refusal::INVALID_ARGUMENT)?;
        hand_over(now, Handle { gpu, mig: None }, &device)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetHandleByUUID(
    uuid: *const c_char,
    device: *mut nvmlDevice_t,
) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let device = unsafe { Out::new(device) };
    call("nvmlDeviceGetHandleByUUID", |now| {
        // SAFETY: the module's text.
        let uuid = Some(unsafe { text(uuid) }?);
        let found = now.script()?.gpu.iter().enumerate().find_map(|(gpu, of)| {
            if of.uuid.as_deref() == uuid {
                return Some(Handle { gpu, mig: None });
            }
            let mig = of.instances().iter().position(|mig| mig.uuid.as_deref() == uuid)?;
            Some(Handle { gpu, mig: Some(mig) })
        });
        hand_over(now, found.ok_or(Refusal::NOT_FOUND)?, &device)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetHandleByPciBusId_v2(
    bus_id: *const c_char,
    device: *mut nvmlDevice_t,
) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let device = unsafe { Out::new(device) };
    call("nvmlDeviceGetHandleByPciBusId_v2", |now| {
        // SAFETY: the module's text.
        let address = PciAddress::parse(unsafe { text(bus_id) }?);
        let address = Some(address.ok_or(Refusal::INVALID_ARGUMENT)?);
        let found = now.script()?.gpu.iter().position(|gpu| gpu.pci_bus_id == address);
        hand_over(now, Handle { gpu: found.ok_or(Refusal::NOT_FOUND)?, mig: None }, &device)
    })
}

/// A lost GPU is not handed over.
fn hand_over(now: &Now, handle: Handle, device: &Out<nvmlDevice_t>) -> Answer {
    now.gpu_at(handle.gpu)?;
    device.set(handle.to_raw().ok_or(Refusal::UNKNOWN)?)
}

/// Of an instance, its index on its GPU.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetIndex(device: nvmlDevice_t, index: *mut c_uint) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let index = unsafe { Out::new(index) };
    call("nvmlDeviceGetIndex", |now| {
        now.device(device)?;
        let handle = Handle::from_raw(device).ok_or(Refusal::INVALID_ARGUMENT)?;
        let number = handle.mig.unwrap_or(handle.gpu);
        index.set(c_uint::try_from(number).map_err(|_| Refusal::UNKNOWN)?)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetName(
    device: nvmlDevice_t,
    name: *mut c_char,
    length: c_uint,
) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let name = unsafe { TextOut::new(name, length) };
    call("nvmlDeviceGetName", |now| {
        let said = match now.device(device)? {
            Device::Gpu(gpu) => &gpu.name,
            Device::Mig(_, mig) => &mig.name,
        };
        name.set(supported(said.as_deref())?)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetUUID(
    device: nvmlDevice_t,
    uuid: *mut c_char,
    length: c_uint,
) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let uuid = unsafe { TextOut::new(uuid, length) };
    call("nvmlDeviceGetUUID", |now| {
        let said = match now.device(device)? {
            Device::Gpu(gpu) => &gpu.uuid,
            Device::Mig(_, mig) => &mig.uuid,
        };
        uuid.set(supported(said.as_deref())?)
    })
}

/// Of an instance, where its GPU is.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetPciInfo_v3(
    device: nvmlDevice_t,
    pci: *mut nvmlPciInfo_t,
) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let pci = unsafe { Out::new(pci) };
    call("nvmlDeviceGetPciInfo_v3", |now| {
        let (Device::Gpu(gpu) | Device::Mig(gpu, _)) = now.device(device)?;
        pci.set(pci_info(gpu)?)
    })
}

fn pci_info(gpu: &Gpu) -> Answer<nvmlPciInfo_t> {
    let address = supported(gpu.pci_bus_id)?;
    Ok(nvmlPciInfo_t {
        busIdLegacy: field(&address.legacy()),
        domain: address.domain,
        bus: address.bus.into(),
        device: address.device.into(),
        pciDeviceId: 0,
        pciSubSystemId: 0,
        busId: field(&address.to_string()),
    })
}
