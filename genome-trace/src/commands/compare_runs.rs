//! `compare`: two reports of runs against each other, without a trace.

use std::{
    env,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, anyhow};

use super::{config, follow, run_file, shell};
use crate::{
    cli::{CompareRuns, RunFormat},
    detect::{DEFAULT_TOLERANCE_PERCENT, compare_runs, judge_rules, rule_obstacle},
    model::{RunRuleState, RunView, run_gate_state},
    render::{line::LineStyle, regression},
};

/// A rule is broken.
const GATE: u8 = 3;
/// A failure of ours, or a rule that could not be judged.
const OURS: u8 = 125;
/// Where GitHub says to put a job's summary.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Prints what is different; the status says what the gate says.
pub(super) fn run(options: &CompareRuns) -> anyhow::Result<ExitCode> {
    // main has another status for failures, which a build takes for another.
    Ok(attempt(options).unwrap_or_else(|error| {
        eprintln!("genome-trace: {error:#}");
        ExitCode::from(OURS)
    }))
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
    shell::print(&told(view, options))?;
    if options.format == RunFormat::Github {
        add_step_summary(view, env::var_os(STEP_SUMMARY).map(PathBuf::from))?;
    }
    Ok(match run_gate_state(&gate) {
        RunRuleState::Kept => ExitCode::SUCCESS,
        RunRuleState::Broken => ExitCode::from(GATE),
        RunRuleState::NotJudged => {
            for rule in gate.iter().filter(|rule| rule.state == RunRuleState::NotJudged) {
                let obstacle = rules.iter().find(|of| of.to_string() == rule.rule);
                let obstacle =
                    obstacle.and_then(|of| rule_obstacle(of, Some(&before), after.runs.len()));
                let said = obstacle.unwrap_or_else(|| {
                    format!("cannot judge the rule {}: {}", rule.rule, rule.found)
                });
                eprintln!("genome-trace: {said}");
            }
            ExitCode::from(OURS)
        }
    })
}

fn told(view: RunView<'_>, options: &CompareRuns) -> Vec<u8> {
    let mut out = Vec::new();
    match options.format {
        RunFormat::Table => {
            regression::write_text(&mut out, view, &follow::style(options.no_color))
        }
        RunFormat::Json => regression::write_json(&mut out, view),
        RunFormat::Junit => regression::write_junit(&mut out, view),
        RunFormat::Markdown => regression::write_markdown(&mut out, view),
        RunFormat::Github => {
            // A job's log is no terminal, and shows colours as they are.
            let style = LineStyle { color: false, width: None, ..follow::style(true) };
            regression::write_text(&mut out, view, &style);
            regression::write_github(&mut out, view);
        }
    }
    out
}

/// Adds the report to a job's summary, where there is one.
///
/// # Errors
/// The file cannot be written.
pub(super) fn add_step_summary(view: RunView<'_>, file: Option<PathBuf>) -> anyhow::Result<()> {
    let Some(file) = file.filter(|file| !file.as_os_str().is_empty()) else { return Ok(()) };
    let mut text = Vec::new();
    regression::write_markdown(&mut text, view);
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(&file)
        .and_then(|mut file| file.write_all(&text))
        .map_err(|error| anyhow!(error))
        .with_context(|| {
            format!("cannot add to the job's summary {} that {STEP_SUMMARY} names", file.display())
        })
}
