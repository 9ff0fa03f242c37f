//! What may explain that runs differ, and what weakens a verdict on them.

use std::collections::BTreeSet;

use crate::{
    model::{RunMetric, RunNameKind, RunReport},
    render::{
        text::{Escaped, ShellWord},
        units::Count,
    },
};

/// What the two reports tell of where and how they were made that is not the
/// same.
pub(super) fn notes(before: &RunReport, after: &RunReport) -> Vec<String> {
    let mut notes = Vec::new();
    let mut differ = |what: &str, of: fn(&RunReport) -> Option<String>| {
        let (then, now) = (of(before), of(after));
        if then != now {
            let word = |of: Option<String>| of.unwrap_or_else(|| "unknown".to_owned());
            notes.push(format!("{what}: {} before, {} after", word(then), word(now)));
        }
    };
    differ("other commands", |of| Some(command(of)));
    differ("the command's end", outcomes);
    differ("other personas", |of| of.persona.as_deref().map(escaped));
    differ("other user ids", |of| Some(of.uid?.to_string()));
    differ("files seen in other modes", |of| of.machine.mode.as_deref().map(escaped));
    differ("other kernels", |of| of.machine.kernel.as_deref().map(escaped));
    differ("other architectures", |of| of.machine.architecture.as_deref().map(escaped));
    differ("processors", |of| Some(of.machine.processors?.to_string()));
    differ("other versions of genome-trace", |of| Some(escaped(&of.genome_trace)));
    for (side, report) in [("before", before), ("after", after)] {
        if let Some(lost) = lost(report, |_| true) {
            notes.push(format!("{side}: {lost}"));
        }
    }
    notes
}

/// Which events were lost that make a metric's count too low, in words.
pub(super) fn lost_of_metric(report: &RunReport, metric: RunMetric) -> Option<String> {
    let kinds: &[&str] = match metric {
        RunMetric::Processes => &["fork"],
        RunMetric::Execs => &["exec"],
        RunMetric::FailedExits
        | RunMetric::Crashes
        | RunMetric::PeakRssBytes
        | RunMetric::CpuNs => &["exit"],
        RunMetric::Signals => &["signal"],
        RunMetric::OomKills => &["oom_kill"],
        RunMetric::FilesCreated => &["file_create"],
        RunMetric::FilesUnlinked => &["file_unlink"],
        RunMetric::FilesWritten => &["file_write", "file_path"],
        RunMetric::WriteCalls | RunMetric::WrittenBytes => &["file_write"],
        RunMetric::PeakTreeRssBytes
        | RunMetric::PeakVramBytes
        | RunMetric::PeakThreads
        | RunMetric::WallNs => &[],
    };
    lost(report, |kind| kinds.contains(&kind))
}

/// Likewise of the names of a kind.
pub(super) fn lost_of_names(report: &RunReport, kind: RunNameKind) -> Option<String> {
    let is_by_folder = matches!(
        kind,
        RunNameKind::FilesCreated
            | RunNameKind::FilesUnlinked
            | RunNameKind::FilesWritten
            | RunNameKind::WrittenBytes
    );
    let names = || lost(report, |kind| is_by_folder && kind == "file_path");
    lost_of_metric(report, kind.metric()).or_else(names)
}

fn lost(report: &RunReport, is_asked_for: impl Fn(&str) -> bool) -> Option<String> {
    let mut parts = Vec::new();
    let kinds: BTreeSet<&String> = report.runs.iter().flat_map(|run| run.lost.keys()).collect();
    for kind in kinds.into_iter().filter(|kind| is_asked_for(kind)) {
        let counts = report.runs.iter().filter_map(|run| run.lost.get(kind));
        let count = counts.fold(0, |sum: u64, count| sum.saturating_add(*count));
        if count > 0 {
            parts.push(format!("{} {}", Count(count), escaped(kind)));
        }
    }
    (!parts.is_empty()).then(|| format!("lost events: {}", parts.join(", ")))
}

fn command(report: &RunReport) -> String {
    let words = report.command.iter().map(|word| ShellWord(word.as_bytes()).to_string());
    words.collect::<Vec<_>>().join(" ")
}

fn outcomes(report: &RunReport) -> Option<String> {
    let names: BTreeSet<_> = report.runs.iter().map(|run| run.outcome.name()).collect();
    (!names.is_empty()).then(|| names.into_iter().collect::<Vec<_>>().join(" or "))
}

fn escaped(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}
