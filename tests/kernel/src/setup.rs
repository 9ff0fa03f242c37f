//! What the environment gives: the two programs, the scale, the patience.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Deadline, Doctor};

/// How much work the trials do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Processes of the storm.
    pub processes: u64,
    /// Processes of the storm in which they only end.
    pub exits: u64,
    /// How many of those a second.
    pub exits_per_second: u64,
    /// Files of one creating process.
    pub files: u64,
    /// One-byte writes of the storm.
    pub writes: u64,
    /// Calls of each other way to write.
    pub calls: u64,
    /// Creations and unlinks of the same name.
    pub churns: u64,
    /// An I/O ring that must overflow while nobody reads it.
    pub tiny_ring_bytes: u64,
    /// Rounds of the persona trials, in one trace.
    pub rounds: u64,
    /// Whether the long run is made.
    pub soak: bool,
}

impl Scale {
    const FULL: Self = Self {
        processes: 10_000,
        exits: 50_000,
        exits_per_second: 10_000,
        files: 50_000,
        writes: 1_000_000,
        calls: 1_000,
        churns: 2_000,
        tiny_ring_bytes: 64 << 10,
        rounds: 100,
        soak: true,
    };
    const SMALL: Self = Self {
        processes: 300,
        exits: 2_000,
        exits_per_second: 2_000,
        files: 2_000,
        writes: 20_000,
        calls: 1_000,
        churns: 2_000,
        tiny_ring_bytes: 16 << 10,
        rounds: 3,
        soak: false,
    };
}

/// Everything that every trial needs.
pub struct Setup {
    /// The tracer.
    pub tracer: PathBuf,
    /// `genome-trace-workload`.
    pub workload: PathBuf,
    /// An NVML that does what a script says, for the trials of GPUs.
    pub fake_nvml: Option<PathBuf>,
    /// How much work.
    pub scale: Scale,
    /// Only what depends on the kernel is tried.
    pub kernel_only: bool,
    /// How long the long run is.
    pub soak: Duration,
    /// The most that one trial may take.
    pub patience: Duration,
    /// What the tracer says of this kernel, or why it says nothing.
    doctor: Result<Doctor, String>,
}

impl Setup {
    /// Reads the environment; the error says in one line what is missing.
    pub fn from_env() -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("the kernel tests need root".to_owned());
        }
        let tracer = program("GENOME_TRACE_BIN")?;
        let workload = program("GENOME_TRACE_WORKLOAD")?;
        let fake_nvml = env::var_os("GENOME_TRACE_FAKE_NVML").map(PathBuf::from);
        let (scale, patience) = match env::var("GENOME_TRACE_TEST_SCALE").as_deref() {
            Err(_) | Ok("" | "full") => (Scale::FULL, 180),
            Ok("small") => (Scale::SMALL, 300),
            Ok(other) => return Err(format!("GENOME_TRACE_TEST_SCALE is {other}: full or small")),
        };
        let kernel_only = match env::var("GENOME_TRACE_TEST_SCOPE").as_deref() {
            Err(_) | Ok("" | "all") => false,
            Ok("kernel") => true,
            Ok(other) => return Err(format!("GENOME_TRACE_TEST_SCOPE is {other}: all or kernel")),
        };
        let patience = seconds("GENOME_TRACE_TEST_DEADLINE_SECONDS", patience)?;
        let soak = seconds("GENOME_TRACE_SOAK_SECONDS", 20)?;
        let doctor = Doctor::ask(&tracer, &Deadline::after(patience));
        Ok(Self {
            tracer,
            workload,
            fake_nvml,
            scale,
            kernel_only,
            soak,
            patience: patience.max(soak * 2),
            doctor: doctor.map_err(|error| format!("{error:#}")),
        })
    }

    /// What the tracer says of this kernel.
    pub fn doctor(&self) -> anyhow::Result<&Doctor> {
        self.doctor.as_ref().map_err(|reason| anyhow::anyhow!("genome-trace doctor: {reason}"))
    }
}

fn program(variable: &str) -> Result<PathBuf, String> {
    let path = env::var_os(variable)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .ok_or_else(|| format!("{variable} is not set"))?;
    path.canonicalize().map_err(|error| format!("{variable} is {}: {error}", path.display()))
}

fn seconds(variable: &str, default: u64) -> Result<Duration, String> {
    let Ok(text) = env::var(variable) else {
        return Ok(Duration::from_secs(default));
    };
    text.parse().map(Duration::from_secs).map_err(|error| format!("{variable} is {text}: {error}"))
}
