//! Crashes: who died, of what, and how that is known.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Ending, ProcessKey, SignalNumber, WallTime};

/// What a process died of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrashKind {
    /// The OOM killer chose it.
    Oom,
    /// A signal that a process raises by a mistake of its own, such as SIGSEGV.
    FatalSignal,
    /// A signal that somebody sent.
    Killed,
    /// It exited with a code that is not 0.
    ErrorExit,
    /// The GPU driver told an error of it shortly before.
    GpuFault,
}

impl CrashKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Oom, Self::FatalSignal, Self::Killed, Self::ErrorExit, Self::GpuFault];

    /// The name, as in `--kind` and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oom => "oom",
            Self::FatalSignal => "fatal_signal",
            Self::Killed => "killed",
            Self::ErrorExit => "error_exit",
            Self::GpuFault => "gpu_fault",
        }
    }
}

impl fmt::Display for CrashKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no kind's.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownCrashKind(pub String);

impl fmt::Display for UnknownCrashKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no crash kind is called {:?}; there are", self.0)?;
        for (index, kind) in CrashKind::ALL.into_iter().enumerate() {
            write!(f, "{} {kind}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownCrashKind {}

impl FromStr for CrashKind {
    type Err = UnknownCrashKind;

    fn from_str(name: &str) -> Result<Self, UnknownCrashKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownCrashKind(name.to_owned()))
    }
}

/// How something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// The kernel or the driver said so.
    Observed,
    /// It follows from what was observed.
    Inferred,
    /// Nothing said so.
    Unknown,
}

/// One line of what speaks for the reason of a crash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// How it is known.
    pub known: Known,
    /// In words.
    pub text: String,
}

/// Memory around a death, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrashMemory {
    /// Resident at death.
    pub rss_bytes: Option<u64>,
    /// The highest resident set that it ever had.
    pub peak_rss_bytes: Option<u64>,
    /// The limit that was reached, of the memory cgroup or the machine.
    pub limit_bytes: Option<u64>,
    /// What was used of that limit.
    pub usage_bytes: Option<u64>,
    /// GPU memory in the last sample before death.
    pub vram_bytes: Option<u64>,
    /// The highest GPU memory that is known.
    pub peak_vram_bytes: Option<u64>,
    /// That is the highest of the samples, between which a higher one may have
    /// come and gone; `false` where it is from the driver's own accounting.
    pub peak_vram_is_sampled: Option<bool>,
    /// How old the last sample of GPU memory was at death, in nanoseconds.
    pub vram_age_ns: Option<u64>,
}

/// Another process that has to do with a crash. What is not UTF-8 in its name
/// is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashPeer {
    /// Process id in the initial PID namespace.
    pub tgid: u32,
    /// Its name.
    #[serde(default)]
    pub comm: Option<String>,
}

/// The signal that ended a process, as it was told before the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashSignal {
    /// Which.
    pub signal: SignalNumber,
    /// `si_code` (sigaction(2)).
    pub code: i32,
    /// Who sent it; `None` where the kernel raised it.
    #[serde(default)]
    pub sender: Option<CrashPeer>,
}

/// What ran out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrashConstraint {
    /// A memory cgroup reached its limit.
    Memcg,
    /// The machine did.
    Global,
}

/// What the OOM killer said. Limit and usage are in [`CrashMemory`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrashOom {
    /// What ran out.
    pub constraint: Option<CrashConstraint>,
    /// Path of the memory cgroup that the limit belongs to.
    pub memory_cgroup_path: Option<String>,
    /// The process whose allocation failed.
    pub invoker_tgid: Option<u32>,
    /// The victim's virtual size, in bytes.
    pub total_vm_bytes: Option<u64>,
    /// Its anonymous resident memory, in bytes.
    pub anon_rss_bytes: Option<u64>,
    /// Its file-backed resident memory, in bytes.
    pub file_rss_bytes: Option<u64>,
    /// Its resident shared memory, in bytes.
    pub shmem_rss_bytes: Option<u64>,
    /// Its adjustment, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
}

/// The GPU driver's error that came before an end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrashXid {
    /// Its number; `None` where the driver has lost it.
    pub xid: Option<u32>,
    /// What it means, where NVIDIA says.
    pub summary: Option<String>,
    /// Which GPU: the driver's number for it.
    pub gpu_index: Option<u32>,
    /// Where that is on the bus.
    pub pci_bus_id: Option<String>,
    /// The driver named the process; `false` where it was alone on that GPU.
    pub is_named_by_driver: Option<bool>,
    /// From the error to the end, in nanoseconds; 0 where it was heard after
    /// that.
    pub age_ns: Option<u64>,
    /// The driver's own words.
    pub message: Option<String>,
}

/// What a process did in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrashActivity {
    /// From its start to its end, in nanoseconds.
    pub runtime_ns: Option<u64>,
    /// CPU time of all its threads, in nanoseconds.
    pub cpu_ns: Option<u64>,
    /// Write system calls in its whole life.
    pub write_calls: Option<u64>,
    /// Bytes that those calls took.
    pub written_bytes: Option<u64>,
    /// Threads at death.
    pub threads: Option<u64>,
    /// Descriptors that were open at death.
    pub open_files: Option<u64>,
}

/// Files that were heard of, those of its last moment among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrashFiles {
    /// How many it was seen to create: so many or more.
    pub created: u64,
    /// It was watched from its beginning on; `false` where it is older than
    /// the watch.
    pub since_start: bool,
    /// The last ones that it wrote to, the latest first; what is not UTF-8 in
    /// a path is replaced, and of a long one the end is kept.
    pub last_written: Vec<String>,
}

/// A process that was big when another one died.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashNeighbour {
    /// Which.
    pub process: CrashPeer,
    /// Its persona.
    #[serde(default)]
    pub persona: Option<String>,
    /// Its resident memory, in bytes.
    pub rss_bytes: u64,
}

/// What an interpreter said when the program had failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashTraceback {
    /// Whose it is: `Python`, `Node.js`, `Rust`.
    pub language: String,
    /// The line that says what went wrong.
    pub error: String,
    /// The innermost place, as it is written.
    pub place: Option<String>,
    /// All of it.
    pub text: String,
}

/// The end of one process that was no ordinary end. Fields that a record of an
/// older version does not have are read as unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crash {
    /// When, on the wall clock.
    pub wall_time: WallTime,
    /// When, on the boot clock, in nanoseconds.
    pub ktime_ns: u64,
    /// Who.
    pub key: ProcessKey,
    /// Of what.
    pub kind: CrashKind,
    /// The persona's name.
    pub persona: Option<String>,
    /// What the persona is made of.
    pub genome_id: Option<String>,
    /// The process' name; what is not UTF-8 is replaced.
    pub comm: Option<String>,
    /// Its arguments; what is not UTF-8 is replaced.
    pub argv: Option<Vec<String>>,
    /// There were more arguments than these.
    #[serde(default)]
    pub argv_truncated: bool,
    /// Path of its executable; what is not UTF-8 is replaced.
    #[serde(default)]
    pub exe: Option<String>,
    /// Real user id in the initial user namespace.
    #[serde(default)]
    pub uid: Option<u32>,
    /// Path of its cgroup; what is not UTF-8 is replaced.
    #[serde(default)]
    pub cgroup_path: Option<String>,
    /// Its parent.
    #[serde(default)]
    pub parent: Option<CrashPeer>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Why, in words.
    pub reason: String,
    /// What speaks for that.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// Its memory.
    #[serde(default)]
    pub memory: CrashMemory,
    /// What it did.
    #[serde(default)]
    pub activity: CrashActivity,
    /// Its files; `None` where nobody listened.
    #[serde(default)]
    pub files: Option<CrashFiles>,
    /// The signal that ended it, where that was told.
    #[serde(default)]
    pub signal: Option<CrashSignal>,
    /// What the OOM killer said, where it chose this process.
    #[serde(default)]
    pub oom: Option<CrashOom>,
    /// The GPU's error before the end, or right after it.
    #[serde(default)]
    pub xid: Option<CrashXid>,
    /// The biggest processes at that moment, the biggest first.
    #[serde(default)]
    pub largest: Option<Vec<CrashNeighbour>>,
    /// When those were looked at: so long after the OOM killer's choice, in
    /// nanoseconds; below 0 before it, for the look of another choice.
    #[serde(default)]
    pub largest_after_ns: Option<i64>,
    /// The user stack, the innermost frame first, a frame a line.
    #[serde(default)]
    pub stack: Option<Vec<String>>,
    /// The last that it wrote to stderr.
    #[serde(default)]
    pub stderr_tail: Option<String>,
    /// The traceback in it.
    #[serde(default)]
    pub traceback: Option<CrashTraceback>,
}

impl Crash {
    /// A crash of which nothing else is known.
    #[must_use]
    pub const fn new(
        wall_time: WallTime,
        ktime_ns: u64,
        key: ProcessKey,
        kind: CrashKind,
        reason: String,
    ) -> Self {
        Self {
            wall_time,
            ktime_ns,
            key,
            kind,
            persona: None,
            genome_id: None,
            comm: None,
            argv: None,
            argv_truncated: false,
            exe: None,
            uid: None,
            cgroup_path: None,
            parent: None,
            ending: None,
            reason,
            evidence: Vec::new(),
            memory: CrashMemory {
                rss_bytes: None,
                peak_rss_bytes: None,
                limit_bytes: None,
                usage_bytes: None,
                vram_bytes: None,
                peak_vram_bytes: None,
                peak_vram_is_sampled: None,
                vram_age_ns: None,
            },
            activity: CrashActivity {
                runtime_ns: None,
                cpu_ns: None,
                write_calls: None,
                written_bytes: None,
                threads: None,
                open_files: None,
            },
            files: None,
            signal: None,
            oom: None,
            xid: None,
            largest: None,
            largest_after_ns: None,
            stack: None,
            stderr_tail: None,
            traceback: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for kind in CrashKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        let error = "exit".parse::<CrashKind>().unwrap_err().to_string();
        assert!(error.contains("\"exit\"") && error.contains("gpu_fault"), "{error}");
    }

    #[test]
    fn a_record_with_fewer_fields_and_with_more_is_read() {
        let text = r#"{"wall_time":1,"ktime_ns":2,"key":{"tgid":3,"start_time":4},"kind":"oom",
            "reason":"out of memory","memory":{"rss_bytes":5},"of_a_later_version":6}"#;
        let crash: Crash = serde_json::from_str(text).unwrap();
        assert_eq!(crash.persona, None);
        assert_eq!(crash.memory.rss_bytes, Some(5));
        assert_eq!(crash.memory.limit_bytes, None);
        assert_eq!((&crash.files, &crash.oom, &crash.stack), (&None, &None, &None));
        let again: Crash = serde_json::from_str(&serde_json::to_string(&crash).unwrap()).unwrap();
        assert_eq!(again, crash);
    }
}
