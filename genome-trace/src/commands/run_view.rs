//! What is told of runs, and what their gate's word is worth: the same for the
//! command that has just run and for two reports.

use std::{
    env,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;

use crate::{
    cli::RunFormat,
    detect::{GateRule, rule_obstacle},
    model::{RunReport, RunRuleOutcome, RunRuleState, RunView},
    render::{line::LineStyle, regression},
};

/// A rule is broken.
const GATE: u8 = 3;
/// A failure of ours, or a rule that could not be judged.
const OURS: u8 = 125;
/// Where GitHub says to put a job's summary.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// What came of it, or [`OURS`]: main has another status for failures, which may
/// be a command's, or is taken for another by a build.
pub(super) fn or_ours(attempt: anyhow::Result<ExitCode>) -> ExitCode {
    attempt.unwrap_or_else(|error| {
        eprintln!("genome-trace: {error:#}");
        ExitCode::from(OURS)
    })
}

/// The status that says what the gate says.
pub(super) fn gate_status(state: RunRuleState) -> ExitCode {
    match state {
        RunRuleState::Kept => ExitCode::SUCCESS,
        RunRuleState::Broken => ExitCode::from(GATE),
        RunRuleState::NotJudged => ExitCode::from(OURS),
    }
}

/// It in a format.
pub(super) fn told(view: RunView<'_>, format: RunFormat, style: &LineStyle) -> Vec<u8> {
    let mut out = Vec::new();
    match format {
        RunFormat::Table => regression::write_text(&mut out, view, style),
        RunFormat::Json => regression::write_json(&mut out, view),
        RunFormat::Junit => regression::write_junit(&mut out, view),
        RunFormat::Markdown => regression::write_markdown(&mut out, view),
        RunFormat::Github => {
            // A job's log is no terminal, and shows colours as they are.
            let style = LineStyle { color: false, width: None, time_zone: style.time_zone.clone() };
            regression::write_text(&mut out, view, &style);
            regression::write_github(&mut out, view);
        }
    }
    out
}

/// Adds the report to a job's summary, where GitHub names a file for one.
///
/// # Errors
/// The file cannot be written.
pub(super) fn add_step_summary(view: RunView<'_>) -> anyhow::Result<()> {
    let file = env::var_os(STEP_SUMMARY).filter(|file| !file.is_empty());
    file.map_or(Ok(()), |file| add_to(&PathBuf::from(file), view))
}

fn add_to(file: &Path, view: RunView<'_>) -> anyhow::Result<()> {
    let mut text = Vec::new();
    regression::write_markdown(&mut text, view);
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .and_then(|mut file| file.write_all(&text))
        .with_context(|| {
            format!("cannot add to the job's summary {} that {STEP_SUMMARY} names", file.display())
        })
}

/// Says of each rule that could not be judged why not.
pub(super) fn tell_unjudged(
    gate: &[RunRuleOutcome],
    rules: &[GateRule],
    baseline: Option<&RunReport>,
    runs: usize,
) {
    for outcome in gate.iter().filter(|rule| rule.state == RunRuleState::NotJudged) {
        let rule = rules.iter().find(|rule| rule.to_string() == outcome.rule);
        let obstacle = rule.and_then(|rule| rule_obstacle(rule, baseline, runs));
        let said = obstacle.unwrap_or_else(|| {
            format!("cannot judge the rule {}: {}", outcome.rule, outcome.found)
        });
        eprintln!("genome-trace: {said}");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::RunReport;

    #[test]
    fn a_jobs_summary_is_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("summary.md");
        fs::write(&file, "before\n").unwrap();
        let report = RunReport::default();
        let view = RunView { report: &report, comparison: None, gate: &[] };
        add_to(&file, view).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("before\n") && text.len() > 10, "{text}");
        let error = add_to(folder.path(), view).unwrap_err().to_string();
        assert!(error.contains("summary"), "{error}");
    }
}
