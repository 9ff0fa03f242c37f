//! What `doctor` finds: whether tracing works on this machine, how, and what to
//! do about the rest. Its fields are the JSON of `doctor --format=json`.

use serde::Serialize;

/// Everything that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Version of this format.
    pub v: u32,
    /// Version of genome-trace.
    pub version: String,
    /// The host's name.
    pub host: String,
    /// The kernel's release, as in `uname -r`.
    pub kernel: String,
    /// The processor architecture.
    pub arch: String,
    /// Whether `--follow` works.
    pub can_trace: bool,
    /// What was checked, one by one.
    pub checks: Vec<Check>,
    /// The ways to see writes and creations.
    pub modes: Vec<ModeState>,
    /// The one that is used.
    pub selected_mode: Option<String>,
    /// The probes of that mode, and those of every mode.
    pub probes: Vec<ProbeState>,
    /// The ways by which a process writes, in that mode first, then in the
    /// others that may be chosen.
    pub write_routes: Vec<RouteState>,
    /// The rings by default.
    pub rings: Vec<RingState>,
}

impl Diagnosis {
    /// Version of the JSON format.
    pub const FORMAT: u32 = 1;
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// Something that can be done without is missing.
    Gap,
    /// Tracing does not work.
    Failed,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// How it came out.
    pub state: CheckState,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// A way to see writes and creations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModeState {
    /// Its name.
    pub mode: String,
    /// Whether it works here; null where that could not be found out.
    pub usable: Option<bool>,
    /// Why not.
    pub reason: Option<String>,
}

/// A probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbeState {
    /// The BPF program.
    pub program: String,
    /// How it is attached: `tp_btf`, `fexit`, `fentry`, `kprobe`, `kretprobe`.
    pub hook: String,
    /// To what.
    pub target: String,
    /// What it tells.
    pub purpose: String,
    /// `attached`, `planned` (not tried), `not needed`, `unavailable` or `refused`.
    pub verdict: String,
    /// Programs that stand in for it while it is preempted.
    pub backups: u64,
    /// Instructions that the verifier went through to accept it; null where the
    /// kernel does not tell (before 5.16), or did not load it.
    pub verified_instructions: Option<u64>,
    /// Why it is not attached.
    pub reason: Option<String>,
}

/// A way by which a process writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteState {
    /// Its name.
    pub route: String,
    /// The mode that is spoken of.
    pub mode: String,
    /// Whether such writes are counted.
    pub counted: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// A ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RingState {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}
