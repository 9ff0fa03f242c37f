//! Options of `record`, and of who records beside showing.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{Interval, Listen, Size, value};
use crate::{gpu::DEFAULT_LIBRARY, kernel::log::KERNEL_LOG, probe::ModeChoice};

/// Where a recorder writes, where nothing else is said.
pub const DEFAULT_STORE: &str = "/var/lib/genome-trace";
/// Where a recorder listens for --follow, likewise.
pub const DEFAULT_SOCKET: &str = "/run/genome-trace/recorder.sock";

/// Record the whole machine.
#[derive(Args, Debug)]
pub struct Record {
    /// Where to keep it: a folder, or a file whose name ends in .db
    #[arg(long, value_name = "PATH", default_value = DEFAULT_STORE, help_heading = "Store")]
    pub store: PathBuf,
    /// Let this group read a store that is made [default: the folder's], and
    /// attach to the recorder [default: the recorder's own]
    #[arg(long, value_name = "NAME", value_parser = value::not_empty, help_heading = "Store")]
    pub group: Option<String>,
    /// How long to keep what [default: /etc/genome-trace/config.toml, where it
    /// is there]
    #[arg(long, value_name = "FILE", help_heading = "Store")]
    pub config: Option<PathBuf>,

    /// Where --follow attaches to this recorder
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET, help_heading = "Readers")]
    pub socket: PathBuf,
    /// Let nobody attach
    #[arg(long, conflicts_with = "socket", help_heading = "Readers")]
    pub no_socket: bool,
    /// Serve metrics for Prometheus at this address and port; a port alone is
    /// for this machine only, for example 9469 or 127.0.0.1:9469 [default:
    /// serve none]
    #[arg(long, value_name = "ADDRESS", help_heading = "Metrics")]
    pub listen: Option<Listen>,

    /// Say what remedies would do about alerts, and do nothing ([remedies] in
    /// the configuration)
    #[arg(long, help_heading = "Alerts")]
    pub dry_run: bool,

    /// Rules that say whose a process is, before those in
    /// /etc/genome-trace/personas.toml; may be given more than once
    #[arg(long, value_name = "FILE", help_heading = "Personas")]
    pub personas: Vec<PathBuf>,

    /// How to see writes and creations: auto, fexit, kprobe, syscall,
    /// tracepoint
    #[arg(long, default_value_t, value_name = "MODE", help_heading = "Tracing")]
    pub probe_mode: ModeChoice,
    /// Size of the ring of file events, for example 64K, 16M; rounded up to a
    /// power of two [default: by the number of processors]
    #[arg(long, value_name = "BYTES", value_parser = value::ring_size, help_heading = "Tracing")]
    pub ring_size: Option<Size>,
    /// Size of the ring of process events, likewise
    #[arg(long, value_name = "BYTES", value_parser = value::ring_size, help_heading = "Tracing")]
    pub lifecycle_ring_size: Option<Size>,

    /// How often to look who holds GPU memory, for example 500ms, 10s; off
    /// looks never
    #[arg(
        long,
        value_name = "TIME",
        default_value_t = Interval::Every(Duration::from_secs(1)),
        help_heading = "GPUs"
    )]
    pub gpu_interval: Interval,
    /// Which NVIDIA management library to load
    #[arg(long, value_name = "FILE", default_value = DEFAULT_LIBRARY, help_heading = "GPUs")]
    pub nvml_library: PathBuf,
    /// Where the kernel's messages are read, for tests
    #[arg(long, value_name = "FILE", default_value = KERNEL_LOG, hide = true)]
    pub kernel_log: PathBuf,
    /// Take no looks at what everybody uses, for the benchmark
    #[arg(long, hide = true)]
    pub no_looks: bool,
}
