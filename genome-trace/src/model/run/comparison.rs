//! The runs of a report against those of an earlier one, and what a gate makes
//! of that.

use super::{RunMetric, RunReport};

/// A figure of all runs of one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunRange {
    /// The least.
    pub min: u64,
    /// The one in the middle; of an even number of runs the lower of the two.
    pub median: u64,
    /// The most.
    pub max: u64,
}

impl RunRange {
    /// Of these figures; `None` where there is none.
    #[must_use]
    pub fn of(figures: &[u64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_unstable();
        let median = *sorted.get(sorted.len().saturating_sub(1) / 2)?;
        Some(Self { min: *sorted.first()?, median, max: *sorted.last()? })
    }

    /// Whether every run had the same.
    #[must_use]
    pub const fn is_steady(self) -> bool {
        self.min == self.max
    }
}

/// What became of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunVerdict {
    /// It is the same.
    Equal,
    /// It is not the same, and near enough.
    Within,
    /// It is more.
    More,
    /// It is less.
    Less,
    /// It differs from run to run, and that is all that is seen.
    Unsteady,
    /// Nothing can be said.
    NotJudged,
}

impl RunVerdict {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Within => "within",
            Self::More => "more",
            Self::Less => "less",
            Self::Unsteady => "unsteady",
            Self::NotJudged => "not_judged",
        }
    }

    /// Whether it says that something is different.
    #[must_use]
    pub const fn is_change(self) -> bool {
        matches!(self, Self::More | Self::Less)
    }
}

/// What a verdict rests on.
#[derive(Clone, Debug, PartialEq)]
pub enum RunBasis {
    /// Counts are equal or not.
    Exact,
    /// Counts that differ from run to run are different where no run of the one
    /// report has a count between those of the other.
    Ranges,
    /// Middle figures are near each other or not.
    Tolerance {
        /// What is near enough, in percent of the earlier one.
        percent: f64,
        /// What is near enough in any case, in the metric's unit.
        floor: u64,
    },
    /// Mann and Whitney's test.
    MannWhitney {
        /// How often chance alone makes two samples that differ so much or
        /// more, 0 to 1.
        p: f64,
        /// What is near enough however sure it is, in percent of the earlier
        /// middle figure.
        percent: f64,
    },
    /// So few runs cannot show that a time is another.
    TooFewRuns {
        /// Runs of the earlier report.
        before: usize,
        /// Runs of the later one.
        after: usize,
    },
    /// It was not observed; why, in words.
    Unobserved(String),
    /// Events were lost, so that a count may be too low; which, in words.
    Lost(String),
}

impl RunBasis {
    /// The name in JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Ranges => "ranges",
            Self::Tolerance { .. } => "tolerance",
            Self::MannWhitney { .. } => "mann_whitney",
            Self::TooFewRuns { .. } => "too_few_runs",
            Self::Unobserved(_) => "unobserved",
            Self::Lost(_) => "lost",
        }
    }
}

/// A metric of both reports.
#[derive(Clone, Debug, PartialEq)]
pub struct RunMetricChange {
    /// Which.
    pub metric: RunMetric,
    /// What it was; `None` where it is unknown.
    pub before: Option<RunRange>,
    /// What it is, likewise.
    pub after: Option<RunRange>,
    /// What that means.
    pub verdict: RunVerdict,
    /// What the verdict rests on.
    pub basis: RunBasis,
}

/// What is counted by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunNameKind {
    /// Executions, by executable.
    Executables,
    /// Processes that failed or that a signal ended, by executable.
    Failures,
    /// Crashes, by what crashed of what.
    Crashes,
    /// Ends of processes, by code or signal.
    Endings,
    /// Signals that ended a process.
    Signals,
    /// Files created, by folder.
    FilesCreated,
    /// Files unlinked, by folder.
    FilesUnlinked,
    /// Different files written to, by folder.
    FilesWritten,
    /// Bytes written, by folder.
    WrittenBytes,
    /// Processes that were still there when the command had ended, by
    /// executable.
    LeftRunning,
}

impl RunNameKind {
    /// Every kind, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Executables,
        Self::Failures,
        Self::Crashes,
        Self::Endings,
        Self::Signals,
        Self::FilesCreated,
        Self::FilesUnlinked,
        Self::FilesWritten,
        Self::WrittenBytes,
        Self::LeftRunning,
    ];

    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Executables => "executables",
            Self::Failures => "failures",
            Self::Crashes => "crashes",
            Self::Endings => "endings",
            Self::Signals => "signals",
            Self::FilesCreated => "files_created",
            Self::FilesUnlinked => "files_unlinked",
            Self::FilesWritten => "files_written",
            Self::WrittenBytes => "written_bytes",
            Self::LeftRunning => "left_running",
        }
    }

    /// What it is, as a heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Executables => "Executables",
            Self::Failures => "Failed processes",
            Self::Crashes => "Crashes",
            Self::Endings => "Ends of processes",
            Self::Signals => "Signals that ended a process",
            Self::FilesCreated => "Files created in",
            Self::FilesUnlinked => "Files unlinked in",
            Self::FilesWritten => "Files written in",
            Self::WrittenBytes => "Bytes written in",
            Self::LeftRunning => "Left running",
        }
    }

    /// The metric that it is a part of, and is observed with.
    #[must_use]
    pub const fn metric(self) -> RunMetric {
        match self {
            Self::Executables => RunMetric::Execs,
            Self::Failures | Self::Endings => RunMetric::FailedExits,
            Self::Crashes => RunMetric::Crashes,
            Self::Signals => RunMetric::Signals,
            Self::FilesCreated => RunMetric::FilesCreated,
            Self::FilesUnlinked => RunMetric::FilesUnlinked,
            Self::FilesWritten => RunMetric::FilesWritten,
            Self::WrittenBytes => RunMetric::WrittenBytes,
            Self::LeftRunning => RunMetric::Processes,
        }
    }

    /// Whether it is part of what must be the same for two runs to be equal. An
    /// amount is not, nor is who happened to be there still at one moment.
    #[must_use]
    pub const fn is_exact(self) -> bool {
        !matches!(self, Self::WrittenBytes | Self::LeftRunning)
    }
}

/// A name whose count is another, or is not steady.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunNameChange {
    /// Counted as what.
    pub kind: RunNameKind,
    /// Which.
    pub name: String,
    /// How many there were; 0 in a run that did not have it.
    pub before: RunRange,
    /// How many there are, likewise.
    pub after: RunRange,
    /// What that means.
    pub verdict: RunVerdict,
}

impl RunNameChange {
    /// No earlier run had it, and one now has.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.before.max == 0 && self.after.max > 0
    }

    /// Earlier runs had it, and none has now.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        self.before.max > 0 && self.after.max == 0
    }
}

/// The runs of two reports against each other.
#[derive(Clone, Debug, PartialEq)]
pub struct RunComparison {
    /// Runs of the earlier report.
    pub runs_before: usize,
    /// Runs of the later one.
    pub runs_after: usize,
    /// What may explain a change, or weakens a verdict: sentences without their
    /// full stops.
    pub notes: Vec<String>,
    /// Every metric, in their order.
    pub metrics: Vec<RunMetricChange>,
    /// The names that differ, by kind, and of each kind those with the greatest
    /// difference first.
    pub names: Vec<RunNameChange>,
    /// Kinds whose names cannot be told, and why not.
    pub unjudged: Vec<(RunNameKind, String)>,
}

impl RunComparison {
    /// The change of a metric.
    #[must_use]
    pub fn metric(&self, metric: RunMetric) -> Option<&RunMetricChange> {
        self.metrics.iter().find(|change| change.metric == metric)
    }

    /// The names of a kind that differ.
    pub fn names_of(&self, kind: RunNameKind) -> impl Iterator<Item = &RunNameChange> {
        self.names.iter().filter(move |change| change.kind == kind)
    }
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunRuleState {
    /// It is kept.
    Kept,
    /// It is broken.
    Broken,
    /// It could not be judged, which is no pass.
    NotJudged,
}

impl RunRuleState {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Broken => "broken",
            Self::NotJudged => "not_judged",
        }
    }
}

/// A rule of the gate, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRuleOutcome {
    /// As it was written.
    pub rule: String,
    /// What became of it.
    pub state: RunRuleState,
    /// What was found, in a sentence without its full stop.
    pub found: String,
}

/// What the gate says: the worst of its rules.
///
/// A broken rule outweighs one that could not be judged: that something is
/// wrong is known.
#[must_use]
pub fn run_gate_state(rules: &[RunRuleOutcome]) -> RunRuleState {
    let has = |state| rules.iter().any(|rule| rule.state == state);
    match () {
        () if has(RunRuleState::Broken) => RunRuleState::Broken,
        () if has(RunRuleState::NotJudged) => RunRuleState::NotJudged,
        () => RunRuleState::Kept,
    }
}

/// All that is shown of a command's runs.
#[derive(Clone, Copy, Debug)]
pub struct RunView<'a> {
    /// The runs.
    pub report: &'a RunReport,
    /// The same against the baseline, where there is one.
    pub comparison: Option<&'a RunComparison>,
    /// The gate's rules; empty where there is none.
    pub gate: &'a [RunRuleOutcome],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_the_lower_middle() {
        let of = |figures: &[u64]| RunRange::of(figures).map(|of| (of.min, of.median, of.max));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some((7, 7, 7)));
        assert_eq!(of(&[9, 1]), Some((1, 1, 9)));
        assert_eq!(of(&[9, 1, 4]), Some((1, 4, 9)));
        assert_eq!(of(&[9, 1, 4, 5]), Some((1, 4, 9)));
    }

    #[test]
    fn the_worst_rule_is_the_gates_state() {
        use RunRuleState::{Broken, Kept, NotJudged};
        let rule = |state| RunRuleOutcome { rule: String::new(), state, found: String::new() };
        for (states, wanted) in [
            (&[][..], Kept),
            (&[Kept][..], Kept),
            (&[Kept, NotJudged][..], NotJudged),
            (&[NotJudged, Broken, Kept][..], Broken),
        ] {
            let rules: Vec<_> = states.iter().map(|state| rule(*state)).collect();
            assert_eq!(run_gate_state(&rules), wanted);
        }
    }

    #[test]
    fn each_kind_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> =
            RunNameKind::ALL.into_iter().map(RunNameKind::name).collect();
        assert_eq!(names.len(), RunNameKind::ALL.len());
    }
}
