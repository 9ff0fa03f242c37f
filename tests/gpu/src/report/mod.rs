//! The report: what was looked at by whom, as JSON and as a table.

pub(crate) mod table;

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;

use crate::compare::{MIB, is_same_mib};

/// The version of the format; raised when the meaning of a field changes.
const VERSION: u32 = 1;

/// Everything that one run found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The version of this format.
    pub(crate) v: u32,
    /// Where it was found.
    pub(crate) machine: Machine,
    /// The checks, in the order in which they were made.
    pub(crate) checks: Vec<CheckReport>,
}

/// Where it was found. `None` is what nobody told.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// RFC 3339, in UTC.
    pub(crate) time: Option<String>,
    /// genome-trace's version.
    pub(crate) genome_trace: Option<String>,
    /// The kernel's release.
    pub(crate) kernel: String,
    /// The driver's version.
    pub(crate) driver_version: Option<String>,
    /// The newest CUDA that the driver supports.
    pub(crate) cuda_version: Option<String>,
    /// The GPU's product name.
    pub(crate) gpu_name: Option<String>,
    /// Its own name.
    pub(crate) gpu_uuid: String,
    /// Its memory.
    pub(crate) total_bytes: Option<u64>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Every figure that was compared agrees, and at least one was.
    Agrees,
    /// A figure differs.
    Differs,
    /// It could not be made to its end.
    Failed,
    /// It cannot be made here.
    Skipped,
    /// It only measures.
    Measured,
}

/// One check.
#[derive(Debug, Serialize)]
pub(crate) struct CheckReport {
    /// Its name.
    pub(crate) name: String,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// Why it failed or was skipped; `None` where it did neither.
    pub(crate) reason: Option<String>,
    /// What was found.
    pub(crate) findings: Findings,
}

/// What a check found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    /// Figures, side by side.
    pub(crate) figures: Vec<Figure>,
    /// What is to be known beside them, in sentences.
    pub(crate) notes: Vec<String>,
}

/// What genome-trace said, and what somebody else said or what it must be.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    /// Of what.
    pub(crate) what: String,
    /// Unit of those that are numbers.
    pub(crate) unit: Option<&'static str>,
    /// genome-trace's; null is unknown.
    pub(crate) genome_trace: Value,
    /// The other's; null is unknown.
    pub(crate) reference: Value,
    /// Whether they agree; `None` where they are not compared.
    pub(crate) agrees: Option<bool>,
}

impl Report {
    /// One without checks.
    pub(crate) fn new(machine: Machine) -> Self {
        Self { v: VERSION, machine, checks: Vec::new() }
    }

    /// Whether anything differs or failed, or nothing was compared at all.
    pub(crate) fn has_failed(&self) -> bool {
        let has = |outcome| self.checks.iter().any(|check| check.outcome == outcome);
        has(Outcome::Differs) || has(Outcome::Failed) || !has(Outcome::Agrees)
    }

    /// Writes it.
    pub(crate) fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self).context("format the report")?;
        text.push('\n');
        fs::write(path, text).with_context(|| format!("write {}", path.display()))
    }
}

impl Findings {
    /// Memory, which must be the same to the MiB. Both unknown is the same, too,
    /// but nothing that was compared.
    pub(crate) fn same_memory(
        &mut self,
        what: impl fmt::Display,
        bytes: Option<u64>,
        reference_mib: Option<u64>,
    ) {
        let agrees = match (bytes, reference_mib) {
            (Some(bytes), Some(mib)) => Some(is_same_mib(bytes, mib)),
            (None, None) => None,
            _ => Some(false),
        };
        self.memory(what, bytes, reference_mib, agrees);
    }

    /// Memory, which must be at least so much, rounding left aside.
    pub(crate) fn at_least(
        &mut self,
        what: impl fmt::Display,
        bytes: Option<u64>,
        reference_mib: u64,
    ) {
        let is_enough = bytes
            .is_some_and(|bytes| bytes / MIB >= reference_mib || is_same_mib(bytes, reference_mib));
        self.memory(what, bytes, Some(reference_mib), Some(is_enough));
    }

    fn memory(
        &mut self,
        what: impl fmt::Display,
        bytes: Option<u64>,
        reference_mib: Option<u64>,
        agrees: Option<bool>,
    ) {
        self.figures.push(Figure {
            what: what.to_string(),
            unit: Some("bytes"),
            genome_trace: bytes.into(),
            reference: reference_mib.map(|mib| mib.saturating_mul(MIB)).into(),
            agrees,
        });
    }

    /// What must be the same. Both unknown is nothing that was compared.
    pub(crate) fn same(
        &mut self,
        what: impl fmt::Display,
        genome_trace: impl Into<Value>,
        reference: impl Into<Value>,
    ) {
        let (genome_trace, reference) = (genome_trace.into(), reference.into());
        let is_known = !genome_trace.is_null() || !reference.is_null();
        let agrees = is_known.then(|| genome_trace == reference);
        self.figures.push(Figure {
            what: what.to_string(),
            unit: None,
            genome_trace,
            reference,
            agrees,
        });
    }

    /// What must hold, in words.
    pub(crate) fn holds(
        &mut self,
        what: impl fmt::Display,
        genome_trace: impl Into<Value>,
        wanted: &str,
        truth: bool,
    ) {
        self.figures.push(Figure {
            what: what.to_string(),
            unit: None,
            genome_trace: genome_trace.into(),
            reference: wanted.into(),
            agrees: Some(truth),
        });
    }

    /// What is shown and not compared.
    pub(crate) fn beside(
        &mut self,
        what: impl fmt::Display,
        unit: Option<&'static str>,
        genome_trace: impl Into<Value>,
        reference: impl Into<Value>,
    ) {
        self.figures.push(Figure {
            what: what.to_string(),
            unit,
            genome_trace: genome_trace.into(),
            reference: reference.into(),
            agrees: None,
        });
    }

    /// A sentence.
    pub(crate) fn note(&mut self, text: impl fmt::Display) {
        self.notes.push(text.to_string());
    }

    /// What the figures come to.
    pub(crate) fn outcome(&self) -> Outcome {
        let has = |agrees| self.figures.iter().any(|figure| figure.agrees == Some(agrees));
        match (has(true), has(false)) {
            (_, true) => Outcome::Differs,
            (true, false) => Outcome::Agrees,
            (false, false) => Outcome::Measured,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn report(outcomes: &[Outcome]) -> Report {
        let mut report = Report::new(Machine {
            time: Some("2026-05-04T10:00:00.000000000Z".to_owned()),
            genome_trace: Some("0.1.0".to_owned()),
            kernel: "6.12.0".to_owned(),
            driver_version: Some("580.82.07".to_owned()),
            cuda_version: Some("13.0".to_owned()),
            gpu_name: Some("NVIDIA H100 80GB HBM3".to_owned()),
            gpu_uuid: "GPU-6b1c".to_owned(),
            total_bytes: Some(81559 * MIB),
        });
        report.checks.extend(outcomes.iter().map(|outcome| CheckReport {
            name: "one".to_owned(),
            outcome: *outcome,
            reason: None,
            findings: Findings::default(),
        }));
        report
    }

    #[test]
    fn memory_that_one_alone_tells_differs() {
        let mut findings = Findings::default();
        findings.same_memory("both", Some(5 * MIB), Some(5));
        assert_eq!(findings.outcome(), Outcome::Agrees);
        findings.same_memory("neither", None, None);
        assert_eq!(findings.outcome(), Outcome::Agrees);
        findings.same_memory("one", None, Some(5));
        assert_eq!(findings.outcome(), Outcome::Differs);
    }

    #[test]
    fn one_difference_is_enough() {
        let mut findings = Findings::default();
        findings.same("name", "H100", "H100");
        findings.at_least("peak", Some(7 * MIB), 5);
        assert_eq!(findings.outcome(), Outcome::Agrees);
        findings.at_least("peak", Some(4 * MIB), 5);
        findings.holds("all well", true, "true", true);
        assert_eq!(findings.outcome(), Outcome::Differs);
    }

    #[test]
    fn what_was_not_compared_does_not_agree() {
        let mut findings = Findings::default();
        findings.beside("warmth", None, 40, 41);
        findings.same("name", Value::Null, Value::Null);
        assert_eq!(findings.outcome(), Outcome::Measured);
    }

    #[test]
    fn a_run_that_compared_nothing_has_failed() {
        use Outcome::{Agrees, Differs, Failed, Measured, Skipped};
        assert!(report(&[Skipped, Measured]).has_failed());
        assert!(!report(&[Agrees, Skipped, Measured]).has_failed());
        assert!(report(&[Agrees, Differs]).has_failed());
        assert!(report(&[Agrees, Failed]).has_failed());
    }
}
