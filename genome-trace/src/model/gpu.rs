//! GPUs and what processes hold on them, as the NVIDIA driver tells it. What
//! it does not tell, or marks as not available, is `None`.

use std::sync::Arc;

/// One look at every GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuSnapshot {
    /// When the look began, on the boot clock, in nanoseconds.
    pub ktime_ns: u64,
    /// How long it took, in nanoseconds.
    pub took_ns: u64,
    /// Version of the driver, for example `580.82.07`.
    pub driver_version: Option<Arc<str>>,
    /// Version of CUDA that the driver supports: major, minor.
    pub cuda_version: Option<(u32, u32)>,
    /// The GPUs, by index.
    pub gpus: Vec<Gpu>,
}

/// Which GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GpuIdentity {
    /// The driver's number for it; another after a reboot, perhaps.
    pub index: u32,
    /// Its own name for ever, `GPU-...`.
    pub uuid: Option<Arc<str>>,
    /// Its product name.
    pub name: Option<Arc<str>>,
    /// Where it is, as the driver writes it: `00000000:65:00.0`.
    pub pci_bus_id: Option<Arc<str>>,
}

impl GpuIdentity {
    /// The same, borrowed.
    #[must_use]
    pub fn named(&self) -> GpuName<'_> {
        GpuName {
            index: Some(self.index),
            uuid: self.uuid.as_deref(),
            name: self.name.as_deref(),
            pci_bus_id: self.pci_bus_id.as_deref(),
        }
    }
}

/// Which GPU, as far as it is known, in an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GpuName<'a> {
    /// The driver's number for it.
    pub index: Option<u32>,
    /// Its own name for ever.
    pub uuid: Option<&'a str>,
    /// Its product name.
    pub name: Option<&'a str>,
    /// Where it is on the bus.
    pub pci_bus_id: Option<&'a str>,
}

/// Whether a GPU answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuHealth {
    /// It does.
    Ok,
    /// It has fallen off the bus.
    Lost,
    /// The driver refuses, with its words.
    Failed(Arc<str>),
}

/// One GPU at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Which.
    pub identity: GpuIdentity,
    /// Whether it answers.
    pub health: GpuHealth,
    /// Its memory.
    pub vram: Vram,
    /// Who holds memory on it; `None` where the driver does not say.
    pub processes: Option<Vec<GpuProcess>>,
    /// Everything else, where it was asked for.
    pub details: Option<Box<GpuDetails>>,
}

/// A GPU's memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vram {
    /// All of it.
    pub total_bytes: Option<u64>,
    /// What is allocated, without what the driver keeps for itself.
    pub used_bytes: Option<u64>,
    /// What the driver keeps for itself.
    pub reserved_bytes: Option<u64>,
}

/// What a process does on a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuProcessType {
    /// It computes (nvidia-smi's `C`).
    Compute,
    /// It draws (`G`).
    Graphics,
    /// Both (`C+G`).
    Both,
}

impl GpuProcessType {
    /// As nvidia-smi writes it.
    #[must_use]
    pub const fn letters(self) -> &'static str {
        match self {
            Self::Compute => "C",
            Self::Graphics => "G",
            Self::Both => "C+G",
        }
    }
}

/// What one process holds on one GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuProcess {
    /// Process id, as the driver has it: the host's.
    pub tgid: u32,
    /// What it does there.
    pub process_type: GpuProcessType,
    /// GPU memory that it holds.
    pub vram_bytes: Option<u64>,
    /// The most that it has held there, from the driver's accounting, where
    /// that is on.
    pub accounted_peak_bytes: Option<u64>,
    /// The MIG GPU instance that it runs on.
    pub gpu_instance_id: Option<u32>,
    /// The MIG compute instance.
    pub compute_instance_id: Option<u32>,
    /// How busy it keeps the GPU, where that was asked for.
    pub utilization: Option<GpuProcessUtilization>,
}

/// How busy a process keeps parts of a GPU, in percent of its last sampling
/// period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuProcessUtilization {
    /// The streaming multiprocessors.
    pub sm_percent: u32,
    /// The memory's bus.
    pub memory_percent: u32,
    /// The video encoder.
    pub encoder_percent: u32,
    /// The video decoder.
    pub decoder_percent: u32,
}

/// What a report tells of a GPU, and a trace does not ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GpuDetails {
    /// Time that a kernel ran, in percent of the last sampling period.
    pub gpu_percent: Option<u32>,
    /// Time that memory was read or written, likewise.
    pub memory_percent: Option<u32>,
    /// The video encoder, likewise.
    pub encoder_percent: Option<u32>,
    /// The video decoder, likewise.
    pub decoder_percent: Option<u32>,
    /// Temperature of the GPU, in degrees Celsius.
    pub temperature_celsius: Option<u32>,
    /// Speed of its first fan, in percent of the fastest.
    pub fan_percent: Option<u32>,
    /// Power drawn, in milliwatts.
    pub power_milliwatts: Option<u32>,
    /// The limit of that, in milliwatts.
    pub power_limit_milliwatts: Option<u32>,
    /// Clock of the streaming multiprocessors, in MHz.
    pub sm_clock_mhz: Option<u32>,
    /// Clock of the memory, in MHz.
    pub memory_clock_mhz: Option<u32>,
    /// Performance state: 0 is the fastest, 15 the slowest.
    pub performance_state: Option<u32>,
    /// Why clocks are held down; empty where they are not.
    pub throttle_reasons: Option<Vec<&'static str>>,
    /// Whether memory errors are corrected.
    pub ecc_enabled: Option<bool>,
    /// Memory errors that were corrected, since the driver was loaded.
    pub ecc_corrected: Option<u64>,
    /// Memory errors that were not, likewise.
    pub ecc_uncorrected: Option<u64>,
    /// Received over PCIe, in bytes a second.
    pub pcie_rx_bytes_per_second: Option<u64>,
    /// Sent over PCIe, in bytes a second.
    pub pcie_tx_bytes_per_second: Option<u64>,
    /// Generation of the PCIe link as it runs now.
    pub pcie_generation: Option<u32>,
    /// Lanes of the PCIe link as it runs now.
    pub pcie_width: Option<u32>,
    /// Whether the driver keeps the GPU ready while nobody uses it.
    pub persistence_mode: Option<bool>,
    /// Whether a display shows what it draws.
    pub display_active: Option<bool>,
    /// Who may compute: `Default`, `Exclusive Process`, `Prohibited`.
    pub compute_mode: Option<&'static str>,
    /// Whether it is divided into instances.
    pub mig_enabled: Option<bool>,
    /// Those instances.
    pub mig_instances: Vec<MigInstance>,
    /// Whether the driver keeps account of processes (their exact peaks).
    pub accounting_enabled: Option<bool>,
}

/// A part of a GPU that stands for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigInstance {
    /// Its number on its GPU.
    pub index: u32,
    /// Its own name, `MIG-...`.
    pub uuid: Option<Arc<str>>,
    /// Its product name.
    pub name: Option<Arc<str>>,
    /// Its GPU instance.
    pub gpu_instance_id: Option<u32>,
    /// Its compute instance.
    pub compute_instance_id: Option<u32>,
    /// Its memory.
    pub vram: Vram,
}

/// The way to GPUs, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuAccess {
    /// The driver answers.
    Ready,
    /// There is no NVIDIA library: no GPU, as far as can be seen.
    NoLibrary,
    /// The library is there, the driver is not (unloaded, or being reloaded).
    NoDriver,
    /// A call has not come back in time; what it was to tell is not known.
    Stalled,
    /// The library cannot be used, with the reason.
    Failed(Arc<str>),
}

/// Where a peak comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VramPeakSource {
    /// The driver's accounting, which misses nothing up to the last look.
    Accounting,
    /// The looks, between which a higher one may have come and gone.
    Samples,
}

impl VramPeakSource {
    /// One word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounting => "accounting",
            Self::Samples => "samples",
        }
    }
}

/// What a process held on all GPUs when it was last looked at, told at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VramAtDeath {
    /// GPU memory; `None` where the driver did not say how much.
    pub bytes: Option<u64>,
    /// The most that it ever held.
    pub peak_bytes: Option<u64>,
    /// Where that comes from.
    pub peak_source: VramPeakSource,
    /// From that look to the end, in nanoseconds.
    pub age_ns: u64,
}
