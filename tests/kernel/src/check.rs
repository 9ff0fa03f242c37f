//! Expectations that are all looked at before a trial fails: one run tells
//! everything that is wrong.

use std::fmt::{self, Debug};

use anyhow::bail;

/// The expectations of one trial.
#[derive(Default)]
#[must_use = "a trial passes only by `verdict`"]
pub struct Checks {
    failures: Vec<String>,
}

impl Checks {
    /// No expectation yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was got is what was wanted.
    pub fn equal<G, W>(&mut self, what: impl fmt::Display, got: G, wanted: W)
    where
        G: PartialEq<W> + Debug,
        W: Debug,
    {
        if got != wanted {
            self.fail(format_args!("{what}: got {got:?}, wanted {wanted:?}"));
        }
    }

    /// Something holds.
    pub fn holds(&mut self, truth: bool, what: impl fmt::Display) {
        if !truth {
            self.fail(what);
        }
    }

    /// Something is wrong.
    pub fn fail(&mut self, what: impl fmt::Display) {
        self.failures.push(what.to_string());
    }

    /// Passes if every expectation was met.
    pub fn verdict(self) -> anyhow::Result<()> {
        const MOST_TOLD: usize = 25;
        let count = self.failures.len();
        if count == 0 {
            return Ok(());
        }
        let mut text = self.failures;
        if count > MOST_TOLD {
            text.truncate(MOST_TOLD);
            text.push(format!("and {} more", count - MOST_TOLD));
        }
        bail!("{}", text.join("\n"))
    }
}
