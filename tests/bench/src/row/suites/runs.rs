//! All runs of one suite with one subject, and what they come to.

use std::ffi::OsString;

use anyhow::bail;

use super::trial::Outcome;
use super::{Figures, Row};
use crate::account::Tally;
use crate::stats::Spread;

/// Who traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// What the others are held against.
    Nobody,
    /// genome-trace, in that mode.
    GenomeTrace(String),
    /// Somebody else.
    Peer,
}

/// The runs so far.
pub(super) struct Runs {
    who: Who,
    subject: String,
    /// What the command follows.
    line: Vec<OsString>,
    skipped: Option<String>,
    seconds: Vec<f64>,
    tally: Tally,
    difference: Option<String>,
}

impl Runs {
    /// None yet. `line` is what the command follows, or why it cannot.
    pub(super) fn of(who: Who, subject: &str, line: Result<Vec<OsString>, String>) -> Self {
        let (line, skipped) = match line {
            Ok(line) => (line, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        let tally = Tally { kind: "run".to_owned(), truth: 0, seen: 0, told_lost: 0 };
        let subject = subject.to_owned();
        Self { who, subject, line, skipped, seconds: Vec::new(), tally, difference: None }
    }

    /// What the command follows; `None` where the subject is left out.
    pub(super) fn line(&self) -> Option<&[OsString]> {
        self.skipped.is_none().then_some(&self.line)
    }

    /// Seconds of each run.
    pub(super) fn seconds(&self) -> &[f64] {
        &self.seconds
    }

    /// Judges one more run by the first of all, which nobody traced.
    pub(super) fn add(
        &mut self,
        outcome: anyhow::Result<Outcome>,
        first: &Outcome,
    ) -> anyhow::Result<()> {
        let outcome = match outcome {
            // A peer that does not work here is no failure; genome-trace is.
            Err(error) if self.who == Who::Peer => {
                self.skipped = Some(format!("{error:#}"));
                return Ok(());
            }
            other => other?,
        };
        let difference = outcome.difference(first);
        match (&self.who, &difference) {
            (Who::Nobody, Some(difference)) => {
                bail!("two runs without a tracer differ: {difference}");
            }
            (Who::Peer, Some(difference)) if outcome.status != first.status => {
                self.skipped = Some(difference.clone());
                return Ok(());
            }
            _ => {}
        }
        self.seconds.push(outcome.seconds);
        self.tally.truth += 1;
        self.tally.seen += u64::from(difference.is_none());
        self.difference = self.difference.take().or(difference);
        Ok(())
    }

    /// What they come to, beside the runs without a tracer.
    pub(super) fn row(self, nobody: &Self) -> Row {
        let pairs = self.seconds.iter().zip(&nobody.seconds);
        let ratios: Vec<f64> = pairs.map(|(with, without)| with / without).collect();
        let spreads = Spread::of(&ratios).zip(Spread::of(&self.seconds));
        let figures = spreads.filter(|_| self.skipped.is_none()).map(|(ratio, seconds)| Figures {
            ratio,
            seconds,
            verdict: self.tally.verdict(),
            tally: self.tally,
            difference: self.difference,
        });
        let mode = match self.who {
            Who::GenomeTrace(mode) => Some(mode),
            Who::Nobody | Who::Peer => None,
        };
        Row { subject: self.subject, mode, skipped: self.skipped, figures }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use anyhow::anyhow;

    use super::*;
    use crate::account::Verdict;

    fn outcome(seconds: f64, status: i32, line: &str) -> Outcome {
        Outcome {
            seconds,
            status: ExitStatus::from_raw(status << 8),
            stdout: vec![line.to_owned()],
            last_words: "because".to_owned(),
        }
    }

    fn runs(who: Who) -> Runs {
        Runs::of(who, "somebody", Ok(Vec::new()))
    }

    fn ours() -> Who {
        Who::GenomeTrace("fexit".to_owned())
    }

    /// The row of three runs of two seconds, where one without a tracer takes
    /// one, with this one in their midst.
    fn row(who: Who, second: anyhow::Result<Outcome>) -> Row {
        let first = outcome(9.0, 0, "ok");
        let (mut nobody, mut with) = (runs(Who::Nobody), runs(who));
        let mut second = Some(second);
        for round in 0..3 {
            nobody.add(Ok(outcome(1.0, 0, "ok")), &first).unwrap();
            let same = || Ok(outcome(2.0, 0, "ok"));
            let ended = if round == 1 { second.take().unwrap() } else { same() };
            if with.line().is_some() {
                with.add(ended, &first).unwrap();
            }
        }
        with.row(&nobody)
    }

    #[test]
    fn time_is_told_round_by_round() {
        let row = row(ours(), Ok(outcome(3.0, 0, "ok")));
        let figures = row.figures.unwrap();
        assert_eq!(figures.ratio, Spread { median: 2.0, min: 2.0, max: 3.0 });
        assert_eq!(figures.verdict, Verdict::Exact);
        assert_eq!((row.mode.as_deref(), figures.tally.truth), (Some("fexit"), 3));
    }

    #[test]
    fn another_end_under_genome_trace_is_wrong() {
        for ended in [outcome(2.0, 1, "ok"), outcome(2.0, 0, "not ok")] {
            let figures = row(ours(), Ok(ended)).figures.unwrap();
            assert_eq!((figures.verdict, figures.tally.seen), (Verdict::Wrong, 2));
            assert!(figures.difference.is_some());
        }
    }

    #[test]
    fn a_peer_that_does_not_work_is_left_out() {
        let difference = "exit status: 1: because, instead of exit status: 0";
        let failed = row(Who::Peer, Ok(outcome(2.0, 1, "ok")));
        assert_eq!((failed.skipped.as_deref(), failed.figures), (Some(difference), None));
        let hung = row(Who::Peer, Err(anyhow!("it did not end")));
        assert_eq!((hung.skipped.as_deref(), hung.figures), (Some("it did not end"), None));
        // One that works, but changes what is printed, is told.
        let figures = row(Who::Peer, Ok(outcome(2.0, 0, "not ok"))).figures.unwrap();
        assert_eq!(figures.verdict, Verdict::Wrong);
    }

    #[test]
    fn without_a_measure_nothing_is_measured() {
        let first = outcome(1.0, 0, "ok");
        let error = runs(Who::Nobody).add(Ok(outcome(1.0, 0, "not ok")), &first).unwrap_err();
        assert!(error.to_string().starts_with("two runs without a tracer differ: line 1"));
        assert!(runs(ours()).add(Err(anyhow!("it did not end")), &first).is_err());
    }
}
