//! `compare`: two reports of runs against each other, without a trace.

use std::{path::Path, process::ExitCode};

use super::{
    config, follow, run_file,
    run_view::{add_step_summary, gate_status, or_ours, tell_unjudged, told},
    shell,
};
use crate::{
    cli::{CompareRuns, RunFormat},
    detect::{DEFAULT_TOLERANCE_PERCENT, compare_runs, judge_rules},
    model::{RunRuleState, RunView, run_gate_state},
};

/// Prints what is different; the status says what the gate says.
pub(super) fn run(options: &CompareRuns) -> anyhow::Result<ExitCode> {
    Ok(or_ours(attempt(options)))
}

fn attempt(options: &CompareRuns) -> anyhow::Result<ExitCode> {
    let ci = config::ci(options.config.as_deref(), Path::new("."))?;
    let rules: Vec<_> = ci.rules().chain(&options.fail_on).cloned().collect();
    let tolerance = options.tolerance.map(|percent| percent.0);
    let tolerance = tolerance.or(ci.tolerance_percent()).unwrap_or(DEFAULT_TOLERANCE_PERCENT);
    let before = run_file::read(&options.before)?;
    let after = run_file::read(&options.after)?;
    let comparison = compare_runs(&before, &after, tolerance);
    let gate = judge_rules(&rules, &after, Some((&before, &comparison)));
    let view = RunView { report: &after, comparison: Some(&comparison), gate: &gate };
    shell::print(&told(view, options.format, &follow::style(options.no_color)))?;
    if options.format == RunFormat::Github {
        add_step_summary(view)?;
    }
    let state = run_gate_state(&gate);
    if state == RunRuleState::NotJudged {
        tell_unjudged(&gate, &rules, Some(&before), after.runs.len());
    }
    Ok(gate_status(state))
}
