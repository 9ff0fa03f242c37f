//! The script at the time of a call.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nvml_wrapper_sys::bindings::nvmlDevice_t;

use super::file::Version;
use super::handle::Handle;
use crate::answer::{Answer, Refusal};
use crate::script::{Gpu, Init, Mig, Script, Stall};

/// The script at the time of a call.
#[derive(Clone, Debug)]
pub(crate) struct Now {
    version: Arc<Version>,
    /// Time since the script was first seen.
    pub(crate) elapsed: Duration,
}

/// What a handle stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Device<'a> {
    Gpu(&'a Gpu),
    Mig(&'a Gpu, &'a Mig),
}

impl Now {
    pub(super) fn of(version: Arc<Version>) -> Self {
        Self { elapsed: version.seen.elapsed(), version }
    }

    /// The script.
    pub(crate) fn script(&self) -> Answer<&Script> {
        self.version.script.as_ref().ok_or(Refusal::UNKNOWN)
    }

    /// Which version of the script this is of.
    pub(super) const fn version(&self) -> &Arc<Version> {
        &self.version
    }

    /// When that time after the script was first seen is, on the wall clock.
    pub(crate) fn wall_clock(&self, offset: Duration) -> Option<SystemTime> {
        self.version.seen_on.checked_add(offset)
    }

    /// How much longer that call stalls, if it does.
    pub(super) fn stall_of(&self, call: &str) -> Option<Duration> {
        let stall: &Stall = self.version.script.as_ref()?.stall.as_ref()?;
        stall.rest_of(call, self.elapsed)
    }

    /// Fails where there is no driver to talk to.
    pub(super) fn check_driver(&self) -> Answer {
        match self.script()?.init {
            Init::Ok => Ok(()),
            Init::DriverNotLoaded => Err(Refusal::DRIVER_NOT_LOADED),
            Init::NoPermission => Err(Refusal::NO_PERMISSION),
            Init::Unknown => Err(Refusal::UNKNOWN),
        }
    }

    /// The GPU of that index, unless it is lost.
    pub(crate) fn gpu_at(&self, index: usize) -> Answer<&Gpu> {
        let gpu = self.script()?.gpu.get(index).ok_or(Refusal::INVALID_ARGUMENT)?;
        if gpu.lost { Err(Refusal::GPU_IS_LOST) } else { Ok(gpu) }
    }

    /// What the handle stands for.
    pub(crate) fn device(&self, raw: nvmlDevice_t) -> Answer<Device<'_>> {
        let handle = Handle::from_raw(raw).ok_or(Refusal::INVALID_ARGUMENT)?;
        let gpu = self.gpu_at(handle.gpu)?;
        match handle.mig {
            None => Ok(Device::Gpu(gpu)),
            Some(index) => {
                let mig = gpu.instances().get(index).ok_or(Refusal::INVALID_ARGUMENT)?;
                Ok(Device::Mig(gpu, mig))
            }
        }
    }

    /// The GPU that the handle stands for. An instance does not know what only
    /// whole GPUs do.
    pub(crate) fn gpu(&self, raw: nvmlDevice_t) -> Answer<&Gpu> {
        match self.device(raw)? {
            Device::Gpu(gpu) => Ok(gpu),
            Device::Mig(..) => Err(Refusal::NOT_SUPPORTED),
        }
    }
}

/// Microseconds since 1970, as nvml.h has times.
pub(crate) fn microseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
