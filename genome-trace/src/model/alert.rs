//! Alerts: what is wrong with somebody now, since when, how badly, and what
//! that verdict rests on.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Event, Metric, Payload, Persona, Process, ProcessKey, Unit, WallTime, Watch};

/// What is watched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Very many files are created below one folder.
    MassCreate,
    /// The same content is written to file after file.
    DuplicateFiles,
    /// Files are created and unlinked in circles.
    FileChurn,
    /// Resident memory jumps.
    MemorySpike,
    /// Resident memory climbs steadily.
    MemoryLeak,
    /// Resident memory is close to a limit, of a persona or the machine.
    MemoryLimit,
    /// GPU memory jumps.
    VramSpike,
    /// GPU memory climbs steadily.
    VramLeak,
    /// GPU memory is close to what there is.
    VramLimit,
    /// Far more CPU time than ever, for long.
    StuckCpu,
    /// Far more writes than ever.
    WriteStorm,
    /// Far more threads than ever.
    ThreadGrowth,
    /// Open descriptors climb, or are close to their limit.
    OpenFiles,
    /// Processes are created one after the other.
    SpawnStorm,
    /// It crashes again and again.
    CrashLoop,
    /// The OOM killer chooses it again and again.
    OomLoop,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 16] = [
        Self::MassCreate,
        Self::DuplicateFiles,
        Self::FileChurn,
        Self::MemorySpike,
        Self::MemoryLeak,
        Self::MemoryLimit,
        Self::VramSpike,
        Self::VramLeak,
        Self::VramLimit,
        Self::StuckCpu,
        Self::WriteStorm,
        Self::ThreadGrowth,
        Self::OpenFiles,
        Self::SpawnStorm,
        Self::CrashLoop,
        Self::OomLoop,
    ];

    /// The name in the configuration, in JSON and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MassCreate => "mass_create",
            Self::DuplicateFiles => "duplicate_files",
            Self::FileChurn => "file_churn",
            Self::MemorySpike => "memory_spike",
            Self::MemoryLeak => "memory_leak",
            Self::MemoryLimit => "memory_limit",
            Self::VramSpike => "vram_spike",
            Self::VramLeak => "vram_leak",
            Self::VramLimit => "vram_limit",
            Self::StuckCpu => "stuck_cpu",
            Self::WriteStorm => "write_storm",
            Self::ThreadGrowth => "thread_growth",
            Self::OpenFiles => "open_files",
            Self::SpawnStorm => "spawn_storm",
            Self::CrashLoop => "crash_loop",
            Self::OomLoop => "oom_loop",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no rule's.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownRule(pub String);

impl fmt::Display for UnknownRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no alert rule is called {:?}; there are", self.0)?;
        for (index, rule) in Rule::ALL.into_iter().enumerate() {
            write!(f, "{} {rule}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownRule {}

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(name: &str) -> Result<Self, UnknownRule> {
        Self::ALL
            .into_iter()
            .find(|rule| rule.name() == name)
            .ok_or_else(|| UnknownRule(name.to_owned()))
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody should look at it today.
    Warning,
    /// Something is going wrong now.
    Error,
    /// Something is lost, or will be within minutes.
    Critical,
}

impl Severity {
    /// Every severity, the mildest first.
    pub const ALL: [Self; 3] = [Self::Warning, Self::Error, Self::Critical];

    /// One word for JSON and the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// The next worse one; the worst stays.
    #[must_use]
    pub const fn worse(self) -> Self {
        match self {
            Self::Warning => Self::Error,
            Self::Error | Self::Critical => Self::Critical,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no severity's.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownSeverity(pub String);

impl fmt::Display for UnknownSeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no severity; there are warning, error and critical", self.0)
    }
}

impl std::error::Error for UnknownSeverity {}

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(name: &str) -> Result<Self, UnknownSeverity> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.name() == name)
            .ok_or_else(|| UnknownSeverity(name.to_owned()))
    }
}

/// What is said to be too much is held against this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Basis {
    /// A number that was configured, or is the default.
    Threshold,
    /// Such a number, since nothing is known of what is usual here.
    Unlearned {
        /// How many samples of this persona there are so far.
        samples: u64,
        /// How many it takes for a habit.
        samples_to_learn: u64,
        /// How many others of the same rule have one, where that would do, too.
        neighbours: Option<u64>,
        /// How many of those it takes.
        neighbours_to_judge: u64,
        /// By what this persona was recognised, where that is known.
        rule: Option<String>,
    },
    /// What this persona itself used to do.
    Habit {
        /// How many samples that was learned from.
        samples: u64,
        /// The middle of them (median).
        centre: f64,
        /// How far they are spread (scaled like a standard deviation).
        spread: f64,
    },
    /// What others do that were recognised by the same rule: it is too young to
    /// have habits.
    Neighbours {
        /// How many others.
        personas: u64,
        /// By what all of them were recognised ([`super::PersonaSource`]).
        rule: String,
        /// The middle of theirs.
        centre: f64,
        /// How far they are spread.
        spread: f64,
    },
    /// A limit of the kernel, a cgroup or a GPU.
    Limit {
        /// How much that is.
        limit: f64,
    },
}

impl Basis {
    /// One word for JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Threshold | Self::Unlearned { .. } => "threshold",
            Self::Habit { .. } => "habit",
            Self::Neighbours { .. } => "neighbours",
            Self::Limit { .. } => "limit",
        }
    }
}

/// The process that did most of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertProcess {
    /// Which.
    pub key: ProcessKey,
    /// Its name. What is not UTF-8 is replaced.
    pub comm: Option<String>,
    /// Its arguments, without what looks like a secret.
    pub argv: Option<Vec<String>>,
}

/// What is known of files, where it is about files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertFiles {
    /// The folder below which all this happened.
    pub folder: String,
    /// Files created in the window.
    pub files_created: u64,
    /// Of them, those that were unlinked again; `None` where it does not matter.
    pub files_unlinked: Option<u64>,
    /// Of them, those with the same content; `None` where nobody looked.
    pub files_equal: Option<u64>,
    /// Of them, those that were looked at to find equal ones; as
    /// `files_equal`. In a storm it is a sample.
    pub files_read: Option<u64>,
    /// Of them, those that were to be looked at and were gone, or could not be
    /// read; as `files_equal`. The rest nobody tried to read.
    pub files_unread: Option<u64>,
    /// Bytes written below the folder in the window.
    pub written_bytes: Option<u64>,
    /// Files a second, from the first to the last of the window.
    pub files_per_second: Option<f64>,
    /// A few of their names, without the folder.
    pub samples: Vec<String>,
}

/// A detector's verdict at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// When.
    pub wall_time: WallTime,
    /// What was watched for.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// Whose; `None` for the machine, and for a process that is nobody's.
    pub persona: Option<Persona>,
    /// Which process, where one can be named.
    pub process: Option<AlertProcess>,
    /// What tells it from other anomalies of the same rule and persona: a
    /// folder, a GPU; `None` where there is one such thing alone.
    pub cause: Option<String>,
    /// Of what the figures below are, where it is a metric.
    pub metric: Option<Metric>,
    /// What they are counted in.
    pub unit: Unit,
    /// How much it was.
    pub measured: f64,
    /// How much it used to be.
    pub normal: Option<f64>,
    /// How many times that.
    pub factor: Option<f64>,
    /// From where on it is too much.
    pub threshold: f64,
    /// Over which time it was measured, in nanoseconds.
    pub window_ns: Option<u64>,
    /// By how much it changes an hour, where it climbs.
    pub slope_per_hour: Option<f64>,
    /// What the verdict rests on.
    pub basis: Basis,
    /// How sure it is, from 0 to 1; `None` where that is no question.
    pub confidence: Option<f64>,
    /// What is known of files.
    pub files: Option<AlertFiles>,
}

/// What has just become of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertChange {
    /// It began.
    Raised,
    /// It got worse, or lasts for too long.
    Escalated,
    /// It goes on. Kept, and told to nobody.
    GoesOn,
    /// It is over.
    Ended,
}

impl AlertChange {
    /// One word for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Escalated => "escalated",
            Self::GoesOn => "goes_on",
            Self::Ended => "ended",
        }
    }

    /// Whether anybody is told.
    #[must_use]
    pub const fn is_told(self) -> bool {
        !matches!(self, Self::GoesOn)
    }
}

/// One cause, from when it was first found to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Its number: no other alert of a store has it.
    pub id: i64,
    /// What became of it last.
    pub change: AlertChange,
    /// When it began.
    pub raised: WallTime,
    /// When it was found last.
    pub last: WallTime,
    /// When it was over; `None` as long as it is not.
    pub ended: Option<WallTime>,
    /// How bad it is: the worst so far.
    pub severity: Severity,
    /// How often it was found.
    pub count: u64,
    /// The latest of what was found.
    pub anomaly: Anomaly,
    /// All of it in one sentence.
    pub text: String,
    /// What to do about it.
    pub advice: Vec<String>,
}

impl Alert {
    /// What has become of it, as an event that is told at `ktime_ns`.
    #[must_use]
    pub fn event(&self, ktime_ns: u64) -> Event<'_> {
        let process = self.anomaly.process.as_ref();
        Event {
            ktime_ns,
            wall_time: self.ended.unwrap_or(self.last),
            process: process.map(|process| Process {
                key: process.key,
                tid: None,
                ppid: None,
                uid: None,
                comm: process.comm.as_deref().map(str::as_bytes),
                cgroup_path: None,
                watch: Watch::default(),
            }),
            persona: self.anomaly.persona.as_ref(),
            persona_root: None,
            payload: Payload::Alert(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_read_back_by_its_name() {
        for rule in Rule::ALL {
            assert_eq!(rule.name().parse(), Ok(rule));
            let json = serde_json::to_string(&rule).unwrap_or_default();
            assert_eq!(json, format!("{:?}", rule.name()));
        }
        let error = "mass".parse::<Rule>().map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("\"mass\"; there are mass_create")));
    }
}
