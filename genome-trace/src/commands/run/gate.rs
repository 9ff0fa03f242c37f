//! Whether what a command did is what it may do.

use std::{num::NonZeroU32, path::Path};

use anyhow::anyhow;

use super::super::{config, run_file};
use crate::{
    cli::Run,
    detect::{DEFAULT_TOLERANCE_PERCENT, GateRule, compare_runs, judge_rules, rule_obstacle},
    model::{RunComparison, RunReport, RunRuleOutcome, RunRuleState, RunView, run_gate_state},
};

/// Rules and a baseline.
pub(super) struct Gate {
    pub(super) rules: Vec<GateRule>,
    pub(super) baseline: Option<RunReport>,
    tolerance_percent: f64,
    times: u32,
}

/// What it says of a report.
pub(super) struct Judgement {
    comparison: Option<RunComparison>,
    pub(super) gate: Vec<RunRuleOutcome>,
}

impl Gate {
    /// Reads them: the one place where `--fail-on`, `--baseline` and the table
    /// `[ci]` are looked at, before the command runs.
    ///
    /// # Errors
    /// One cannot be read, or a rule could not be judged whatever the command
    /// does.
    pub(super) fn read(options: &Run) -> anyhow::Result<Self> {
        let ci = config::ci(options.config.as_deref(), Path::new("."))?;
        let rules: Vec<_> = ci.rules().chain(&options.fail_on).cloned().collect();
        let baseline = options.baseline.as_deref().map(run_file::read).transpose()?;
        let times = options.repeat.or(ci.repeat()).map_or(1, NonZeroU32::get);
        let runs = usize::try_from(times).unwrap_or(usize::MAX);
        let obstacle = |rule: &GateRule| {
            rule_obstacle(rule, baseline.as_ref(), runs).map(|said| anyhow!(said))
        };
        if let Some(error) = rules.iter().find_map(obstacle) {
            return Err(error);
        }
        let asked_for = options.tolerance.map(|percent| percent.0).or(ci.tolerance_percent());
        let tolerance_percent = asked_for.unwrap_or(DEFAULT_TOLERANCE_PERCENT);
        Ok(Self { rules, baseline, tolerance_percent, times })
    }

    /// Whether somebody wants to know what the command does.
    pub(super) fn asks_for_a_report(&self) -> bool {
        !self.rules.is_empty() || self.times > 1
    }

    /// How many times the command is to run.
    pub(super) const fn times(&self) -> u32 {
        self.times
    }

    /// Holds a report against them.
    pub(super) fn judge(&self, report: &RunReport) -> Judgement {
        let compare = |before| compare_runs(before, report, self.tolerance_percent);
        let comparison = self.baseline.as_ref().map(compare);
        let gate =
            judge_rules(&self.rules, report, self.baseline.as_ref().zip(comparison.as_ref()));
        Judgement { comparison, gate }
    }
}

impl Judgement {
    /// What is to be told with the report.
    pub(super) fn view<'a>(&'a self, report: &'a RunReport) -> RunView<'a> {
        RunView { report, comparison: self.comparison.as_ref(), gate: &self.gate }
    }

    /// The worst of the rules.
    pub(super) fn state(&self) -> RunRuleState {
        run_gate_state(&self.gate)
    }
}
