//! The report for people.

use std::fmt::Write as _;

use serde_json::Value;

use super::{CheckReport, Figure, Machine, Outcome, Report};
use crate::compare::MIB;

/// Where it is found.
pub(crate) fn machine(machine: &Machine) -> String {
    let known = |field: &Option<String>| field.clone().unwrap_or_else(|| "unknown".to_owned());
    let mut text = String::new();
    line(
        &mut text,
        format_args!(
            "{} ({}), {}",
            known(&machine.gpu_name),
            machine.gpu_uuid,
            value(&machine.total_bytes.into(), Some("bytes"))
        ),
    );
    line(
        &mut text,
        format_args!(
            "genome-trace {}, driver {}, CUDA {}, kernel {}",
            known(&machine.genome_trace),
            known(&machine.driver_version),
            known(&machine.cuda_version),
            machine.kernel
        ),
    );
    text
}

/// One check with its figures.
pub(crate) fn check(check: &CheckReport) -> String {
    let mut text = String::new();
    line(&mut text, format_args!("\n{}: {}", check.name, words(check.outcome)));
    if let Some(reason) = &check.reason {
        line(&mut text, format_args!("  {reason}"));
    }
    figures(&mut text, &check.findings.figures);
    for note in &check.findings.notes {
        line(&mut text, format_args!("  - {note}"));
    }
    text
}

/// What all of it comes to.
pub(crate) fn verdict(report: &Report) -> String {
    let count = |outcome| report.checks.iter().filter(|check| check.outcome == outcome).count();
    let counts =
        [Outcome::Agrees, Outcome::Measured, Outcome::Skipped, Outcome::Differs, Outcome::Failed]
            .map(|outcome| (count(outcome), words(outcome)));
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{words} {count}"))
        .collect();
    format!("\n{} checks: {}\n", report.checks.len(), told.join(", "))
}

fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Agrees => "agrees",
        Outcome::Differs => "DIFFERS",
        Outcome::Failed => "FAILED",
        Outcome::Skipped => "skipped",
        Outcome::Measured => "measured",
    }
}

/// Columns as wide as what stands in them.
fn figures(text: &mut String, figures: &[Figure]) {
    if figures.is_empty() {
        return;
    }
    let head = ["", "genome-trace", "reference", ""].map(str::to_owned);
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(figures.iter().map(row)).collect();
    let width = |column: fn(&[String; 4]) -> &String| {
        rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0)
    };
    let what_width = width(|[what, ..]| what);
    let ours_width = width(|[_, ours, ..]| ours);
    let theirs_width = width(|[_, _, theirs, _]| theirs);
    for [what, ours, theirs, mark] in &rows {
        let row =
            format!("  {what:<what_width$}  {ours:>ours_width$}  {theirs:>theirs_width$}  {mark}");
        line(text, format_args!("{}", row.trim_end()));
    }
}

fn row(figure: &Figure) -> [String; 4] {
    let mark = match figure.agrees {
        Some(true) => "ok",
        Some(false) => "DIFFERS",
        None => "",
    };
    [
        figure.what.clone(),
        value(&figure.genome_trace, figure.unit),
        value(&figure.reference, figure.unit),
        mark.to_owned(),
    ]
}

fn value(value: &Value, unit: Option<&str>) -> String {
    match (value, unit) {
        (Value::Null, _) => "unknown".to_owned(),
        (Value::String(text), _) => text.clone(),
        (Value::Number(number), Some("bytes")) => match number.as_u64() {
            Some(bytes) if bytes % MIB == 0 => format!("{} MiB", bytes / MIB),
            Some(bytes) => format!("{:.2} MiB", bytes as f64 / MIB as f64),
            None => number.to_string(),
        },
        (other, Some(unit)) => format!("{other} {unit}"),
        (other, None) => other.to_string(),
    }
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    // A String takes every text.
    let _ = writeln!(text, "{what}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Findings;
    use crate::report::tests::report;

    #[test]
    fn the_table() {
        let mut report = report(&[Outcome::Skipped, Outcome::Failed]);
        let mut findings = Findings::default();
        findings.same_memory("memory of Small", Some(1032 * MIB), Some(1032));
        findings.same_memory("memory in use", Some(1600 * MIB + MIB / 4), Some(1603));
        findings.same("name", "NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3");
        findings.beside("temperature", Some("C"), 31, 32);
        findings.beside("fan", None, Value::Null, Value::Null);
        findings.note("no PyTorch here");
        report.checks[0].reason = Some("the driver does not tell".to_owned());
        report.checks.push(CheckReport {
            name: "holdings".to_owned(),
            outcome: findings.outcome(),
            reason: None,
            findings,
        });
        let mut text = machine(&report.machine);
        for one in &report.checks {
            text.push_str(&check(one));
        }
        text.push_str(&verdict(&report));
        insta::assert_snapshot!(text);
    }
}
