//! `[[gpu]]`: a GPU, and what the driver says of it. What is left out, the
//! driver does not support.

use std::time::Duration;

use nvml_wrapper_sys::bindings as nvml;
use serde::Deserialize;

use super::amount::Bytes;
use super::pci::PciAddress;
use super::process::Process;
use super::vram::NOT_AVAILABLE;

/// A GPU.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gpu {
    pub(crate) name: Option<String>,
    pub(crate) uuid: Option<String>,
    pub(crate) pci_bus_id: Option<PciAddress>,
    pub(crate) memory: Memory,
    /// Whether it has fallen off the bus.
    #[serde(default)]
    pub(crate) lost: bool,
    #[serde(default)]
    pub(crate) utilization: Utilization,
    pub(crate) temperature_celsius: Option<u32>,
    pub(crate) fan_percent: Option<u32>,
    pub(crate) power_milliwatts: Option<u32>,
    pub(crate) power_limit_milliwatts: Option<u32>,
    #[serde(default)]
    pub(crate) clocks: Clocks,
    pub(crate) performance_state: Option<u32>,
    /// Bits of nvml.h's `nvmlClocksThrottleReason...`.
    pub(crate) throttle_reasons: Option<u64>,
    #[serde(default)]
    pub(crate) ecc: Ecc,
    #[serde(default)]
    pub(crate) pcie: Pcie,
    pub(crate) persistence_mode: Option<bool>,
    pub(crate) display_active: Option<bool>,
    pub(crate) compute_mode: Option<ComputeMode>,
    pub(crate) mig_enabled: Option<bool>,
    #[serde(default)]
    pub(crate) mig: Vec<Mig>,
    pub(crate) accounting_enabled: Option<bool>,
    /// Whether the driver tells of errors (Xid) as events.
    #[serde(default = "yes")]
    pub(crate) xid_events: bool,
    /// Whether the driver lists processes.
    #[serde(default = "yes")]
    pub(crate) process_lists: bool,
    #[serde(default)]
    pub(crate) process: Vec<Process>,
}

fn yes() -> bool {
    true
}

/// Memory of a GPU or of a part of one.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    pub(crate) total: Bytes,
    /// What its processes hold, where left out.
    pub(crate) used: Option<Bytes>,
    /// What the driver keeps for itself.
    #[serde(default)]
    pub(crate) reserved: Bytes,
}

/// How busy it is, in percent.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Utilization {
    pub(crate) gpu: Option<u32>,
    pub(crate) memory: Option<u32>,
    pub(crate) encoder: Option<u32>,
    pub(crate) decoder: Option<u32>,
}

/// Its clocks, in MHz.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clocks {
    pub(crate) sm_mhz: Option<u32>,
    pub(crate) memory_mhz: Option<u32>,
    pub(crate) max_sm_mhz: Option<u32>,
    pub(crate) max_memory_mhz: Option<u32>,
}

/// Whether errors of its memory are corrected, and how many there were since
/// the driver was loaded.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ecc {
    pub(crate) enabled: Option<bool>,
    pub(crate) corrected: Option<u64>,
    pub(crate) uncorrected: Option<u64>,
}

/// The way to it; throughput in KB/s, as nvml.h has it.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pcie {
    pub(crate) rx_kb_per_second: Option<u32>,
    pub(crate) tx_kb_per_second: Option<u32>,
    pub(crate) generation: Option<u32>,
    pub(crate) width: Option<u32>,
}

/// Who may compute on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ComputeMode {
    Default,
    ExclusiveProcess,
    Prohibited,
}

/// `[[gpu.mig]]`: a part of a GPU that stands for itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mig {
    pub(crate) uuid: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) gpu_instance_id: Option<u32>,
    pub(crate) compute_instance_id: Option<u32>,
    pub(crate) memory: Memory,
}

impl Gpu {
    /// The MIG instances that are there.
    pub(crate) fn instances(&self) -> &[Mig] {
        if self.mig_enabled == Some(true) { &self.mig } else { &[] }
    }

    /// The processes that are there at that time.
    pub(crate) fn running(&self, elapsed: Duration) -> impl Iterator<Item = &Process> {
        self.process.iter().filter(move |process| process.runs_at(elapsed))
    }
}

impl Memory {
    /// What is allocated at that time, by one of these processes where the
    /// script does not say; no more than there is.
    pub(crate) fn used_by<'a>(
        &self,
        processes: impl Iterator<Item = &'a Process>,
        elapsed: Duration,
    ) -> u64 {
        self.used.map_or_else(
            || {
                processes
                    .map(|process| process.vram.at(elapsed))
                    .filter(|bytes| *bytes != NOT_AVAILABLE)
                    .fold(0, u64::saturating_add)
                    .min(self.total.0.saturating_sub(self.reserved.0))
            },
            |used| used.0,
        )
    }
}

impl Mig {
    /// Whether that process runs on it.
    pub(crate) fn has(&self, process: &Process) -> bool {
        process.gpu_instance_id.is_some()
            && process.gpu_instance_id == self.gpu_instance_id
            && process.compute_instance_id == self.compute_instance_id
    }
}

impl ComputeMode {
    /// nvml.h's number for it.
    pub(crate) const fn number(self) -> nvml::nvmlComputeMode_t {
        match self {
            Self::Default => nvml::nvmlComputeMode_enum_NVML_COMPUTEMODE_DEFAULT,
            Self::ExclusiveProcess => nvml::nvmlComputeMode_enum_NVML_COMPUTEMODE_EXCLUSIVE_PROCESS,
            Self::Prohibited => nvml::nvmlComputeMode_enum_NVML_COMPUTEMODE_PROHIBITED,
        }
    }
}
