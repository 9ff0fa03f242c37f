//! The closing lines: one a part, then the sum.

use std::fmt;

use crate::libtest::{Counts, FAILED_TEST, LAST_LINE};

/// One part of the tests.
pub(crate) struct Part {
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Done(Counts),
    Failed(Option<Counts>, String),
    Skipped(String),
}

impl Part {
    /// A part that ran, with its counts and, where it failed, why.
    pub(crate) fn ran(name: &str, counts: Option<Counts>, failure: Option<String>) -> Self {
        let outcome = match (counts, failure) {
            (counts, Some(failure)) => Outcome::Failed(counts, failure),
            (Some(counts), None) => Outcome::Done(counts),
            (None, None) => Outcome::Failed(None, "it counted no tests".to_owned()),
        };
        Self { name: name.to_owned(), outcome }
    }

    /// A part that this machine, or its user, leaves out.
    pub(crate) fn skipped(name: &str, reason: &str) -> Self {
        Self { name: name.to_owned(), outcome: Outcome::Skipped(reason.to_owned()) }
    }

    /// A part that broke without a failed test is one failure itself.
    fn counts(&self) -> Counts {
        match &self.outcome {
            Outcome::Done(counts) => *counts,
            Outcome::Failed(counts, _) => {
                let mut counts = counts.unwrap_or_default();
                counts.failed = counts.failed.max(1);
                counts
            }
            Outcome::Skipped(_) => Counts::default(),
        }
    }
}

/// All parts.
#[derive(Default)]
pub(crate) struct Summary {
    parts: Vec<Part>,
}

impl Summary {
    /// Adds the next part.
    pub(crate) fn add(&mut self, part: Part) {
        self.parts.push(part);
    }

    /// Whether any part failed.
    pub(crate) fn failed(&self) -> bool {
        self.parts.iter().any(|part| part.counts().failed > 0)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for part in &self.parts {
            let name = &part.name;
            match &part.outcome {
                Outcome::Done(counts) => writeln!(f, "{name}: ok: {counts}")?,
                Outcome::Failed(counts, why) => {
                    // The rest was shown when it happened, and may be far up.
                    let first = why.lines().next().unwrap_or_default();
                    match counts {
                        Some(counts) => writeln!(f, "{name}: FAILED: {counts}: {first}")?,
                        None => writeln!(f, "{name}: FAILED: {first}")?,
                    }
                    for test in why
                        .lines()
                        .filter(|line| line.starts_with(FAILED_TEST) || line.starts_with(LAST_LINE))
                    {
                        writeln!(f, "{test}")?;
                    }
                }
                Outcome::Skipped(why) => writeln!(f, "{name}: skipped: {why}")?,
            }
        }
        let sum: Counts = self.parts.iter().map(Part::counts).sum();
        writeln!(f, "{sum}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64) -> Counts {
        Counts { passed, failed, ignored: 1 }
    }

    #[test]
    fn last_line_is_the_sum() {
        let mut summary = Summary::default();
        summary.add(Part::ran("workspace", Some(counts(5, 0)), None));
        summary.add(Part::skipped("this kernel", "not root"));
        assert!(!summary.failed());
        summary.add(Part::ran("kernel 6.1", None, Some("the kernel broke down\nlog".to_owned())));
        assert!(summary.failed());
        let text = summary.to_string();
        assert!(text.contains("this kernel: skipped: not root\n"), "{text}");
        assert!(text.contains("kernel 6.1: FAILED: the kernel broke down\n"), "{text}");
        assert!(text.ends_with("\n5 passed, 1 failed, 1 skipped\n"), "{text}");
    }

    #[test]
    fn failed_exit_is_a_failure_whatever_was_counted() {
        let mut summary = Summary::default();
        summary.add(Part::ran(
            "workspace",
            Some(counts(5, 0)),
            Some("exit status 1\n  - a::b".to_owned()),
        ));
        assert!(summary.failed());
        assert!(summary.to_string().contains("1 skipped: exit status 1\n  - a::b\n"));
    }
}
