//! One look after the other at every GPU, as long as the driver stays the same.

use std::{sync::Arc, time::Instant};

use nvml_wrapper::{Device, Nvml, cuda_driver_version_major, cuda_driver_version_minor};

use super::{details, library::lost_access, plausible, processes};
use crate::model::{Gpu, GpuAccess, GpuHealth, GpuIdentity, GpuSnapshot, Vram};

/// How much to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Memory and who holds it: what a trace needs, at a few calls a GPU.
    Memory,
    /// All that there is.
    Everything,
}

/// The driver's GPUs, with what never changes of them.
pub(super) struct Session<'nvml> {
    nvml: &'nvml Nvml,
    driver_version: Option<Arc<str>>,
    cuda_version: Option<(u32, u32)>,
    cards: Vec<Card<'nvml>>,
}

struct Card<'nvml> {
    identity: GpuIdentity,
    /// Why there is no handle.
    device: Result<Device<'nvml>, GpuHealth>,
}

impl<'nvml> Session<'nvml> {
    /// Finds the GPUs.
    ///
    /// # Errors
    /// The driver has gone.
    pub(super) fn new(nvml: &'nvml Nvml) -> Result<Self, GpuAccess> {
        let count = nvml.device_count().map_err(|error| {
            lost_access(&error).unwrap_or_else(|| GpuAccess::Failed(error.to_string().into()))
        })?;
        Ok(Self {
            nvml,
            driver_version: nvml.sys_driver_version().ok().map(Into::into),
            cuda_version: nvml.sys_cuda_driver_version().ok().and_then(|version| {
                let major = u32::try_from(cuda_driver_version_major(version)).ok()?;
                Some((major, u32::try_from(cuda_driver_version_minor(version)).ok()?))
            }),
            cards: (0..count).map(|index| Card::find(nvml, index)).collect(),
        })
    }

    /// The GPUs that can be asked.
    pub(super) fn devices(&self) -> impl Iterator<Item = &Device<'nvml>> {
        self.cards.iter().filter_map(|card| card.device.as_ref().ok())
    }

    /// Looks at every GPU.
    ///
    /// # Errors
    /// The driver has gone.
    pub(super) fn look(&self, depth: Depth, ktime_ns: u64) -> Result<Look, GpuAccess> {
        let begun = Instant::now();
        // Cheap, and the one call that fails when the driver is not there.
        let count = self.nvml.device_count();
        if let Some(access) = count.as_ref().err().and_then(lost_access) {
            return Err(access);
        }
        let gpus = self.cards.iter().map(|card| card.look(depth)).collect();
        let has_changed = count.is_ok_and(|count| usize::try_from(count) != Ok(self.cards.len()));
        let snapshot = GpuSnapshot {
            ktime_ns,
            took_ns: u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX),
            driver_version: self.driver_version.clone(),
            cuda_version: self.cuda_version,
            gpus,
        };
        Ok(Look { snapshot, has_changed })
    }
}

/// What a look gave.
pub(super) struct Look {
    pub(super) snapshot: GpuSnapshot,
    /// There are more GPUs than at the beginning, or fewer.
    pub(super) has_changed: bool,
}

impl<'nvml> Card<'nvml> {
    fn find(nvml: &'nvml Nvml, index: u32) -> Self {
        match nvml.device_by_index(index) {
            Ok(device) => Self { identity: identity(&device, index), device: Ok(device) },
            Err(error) => Self {
                identity: GpuIdentity { index, ..GpuIdentity::default() },
                device: Err(health(&error)),
            },
        }
    }

    fn look(&self, depth: Depth) -> Gpu {
        let device = match &self.device {
            Ok(device) => device,
            Err(health) => return self.silent(health.clone()),
        };
        // Every GPU has an index to tell, if it can tell anything.
        if let Err(error) = device.index() {
            return self.silent(health(&error));
        }
        let vram = vram(device);
        let mut processes = processes::on(device, vram.total_bytes).ok();
        if let Some(processes) = &mut processes {
            processes::add_accounts(device, processes, vram.total_bytes);
            if depth == Depth::Everything {
                processes::add_utilization(device, processes);
            }
        }
        let details = (depth == Depth::Everything).then(|| Box::new(details::of(device)));
        Gpu { identity: self.identity.clone(), health: GpuHealth::Ok, vram, processes, details }
    }

    fn silent(&self, health: GpuHealth) -> Gpu {
        Gpu {
            identity: self.identity.clone(),
            health,
            vram: Vram::default(),
            processes: None,
            details: None,
        }
    }
}

/// What names a GPU.
pub(super) fn identity(device: &Device<'_>, index: u32) -> GpuIdentity {
    GpuIdentity {
        index,
        uuid: device.uuid().ok().map(Into::into),
        name: device.name().ok().map(Into::into),
        pci_bus_id: device.pci_info().ok().map(|pci| pci.bus_id.into()),
    }
}

/// The memory of a GPU, or of a part of one.
pub(super) fn vram(device: &Device<'_>) -> Vram {
    let Ok(memory) = device.memory_info() else { return Vram::default() };
    let total_bytes = plausible::vram(memory.total, None).filter(|total| *total > 0);
    Vram {
        total_bytes,
        used_bytes: plausible::vram(memory.used, total_bytes),
        reserved_bytes: plausible::vram(memory.reserved, total_bytes),
    }
}

fn health(error: &nvml_wrapper::error::NvmlError) -> GpuHealth {
    match error {
        nvml_wrapper::error::NvmlError::GpuLost => GpuHealth::Lost,
        error => GpuHealth::Failed(error.to_string().into()),
    }
}
