//! What `--genome-id` shows: one persona, with all that is known of it.

use super::{
    Advice, Course, EventKind, Gap, Health, ModelFile, Persona, PersonaUsage, ReportedCrash,
    SampleSpan, TimeRange, WallTime,
};

/// One report.
#[derive(Clone, Debug)]
pub struct PersonaReport {
    /// Version of genome-trace.
    pub version: String,
    /// The host's name.
    pub host: String,
    /// When it was asked for.
    pub now: WallTime,
    /// Who.
    pub persona: Persona,
    /// What speaks against it; `None` where too little is known to say that
    /// nothing does.
    pub health: Option<Health>,
    /// What it uses; `None` where it has no process now.
    pub usage: Option<PersonaUsage>,
    /// Why its figures are unknown and what to do about it, where they are.
    pub unknown_because: Option<String>,
    /// The time over which rates are, in nanoseconds.
    pub interval_ns: Option<u64>,
    /// Crashes in the last hour; `None` where nothing knows.
    pub crash_count: Option<u64>,
    /// Models' files that its processes have open or mapped, by path.
    pub model_files: Vec<ModelFile>,
    /// Processes of which it is unknown what they have open.
    pub closed_processes: u64,
    /// The last hour, or why it is unknown.
    pub hour: Result<PersonaHour, String>,
    /// What to do, and what speaks for it.
    pub advice: Vec<Advice>,
}

/// A persona's last hour, from a store.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonaHour {
    /// The store that was read.
    pub store: String,
    /// That hour.
    pub range: TimeRange,
    /// What was read of it.
    pub span: SampleSpan,
    /// Length of a step, in nanoseconds.
    pub step_ns: u64,
    /// How its figures went; what was not measured is not among them.
    pub courses: Vec<Course>,
    /// Its crashes, the latest first.
    pub crashes: Vec<ReportedCrash>,
    /// What else happened that matters, the latest first, and no more than a
    /// bounded number.
    pub events: Vec<NotableEvent>,
    /// Of which time not all is known, the earliest first.
    pub gaps: Vec<Gap>,
}

/// Something that happened to a process of a persona.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotableEvent {
    /// When.
    pub wall_time: WallTime,
    /// What sort.
    pub kind: EventKind,
    /// To which process; `None` where that is unknown.
    pub tgid: Option<u32>,
    /// What, in words; names in it are escaped.
    pub text: String,
}
