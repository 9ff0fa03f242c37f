//! GPUs, by way of NVML, the NVIDIA driver's own library: the one that
//! nvidia-smi uses. Its calls may take long or never come back, so they are
//! made on threads of their own.

mod details;
mod library;
mod monitor;
pub mod pci_address;
mod plausible;
mod processes;
mod session;
pub mod xid_line;
mod xid_watch;

pub use library::{DEFAULT_LIBRARY, Library};
pub use monitor::{GpuMonitor, GpuReport, XidReport, read_once};
pub use session::Depth;
