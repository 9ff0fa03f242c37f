//! A hard end for everything that a trial waits for.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::bail;
use rustix::event::Timespec;

/// The moment after which a trial fails instead of waiting on.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    started: Instant,
    length: Duration,
}

impl Deadline {
    /// A deadline that far from now.
    pub fn after(length: Duration) -> Self {
        Self { started: Instant::now(), length }
    }

    /// How long is left for `what`; an error that names it when nothing is.
    pub fn remaining(&self, what: impl fmt::Display) -> anyhow::Result<Duration> {
        match self.length.checked_sub(self.started.elapsed()) {
            Some(left) if !left.is_zero() => Ok(left),
            _ => bail!("the deadline of {:?} passed: {what}", self.length),
        }
    }

    /// The same in the kernel's words.
    pub(crate) fn remaining_timespec(&self, what: impl fmt::Display) -> anyhow::Result<Timespec> {
        Ok(Timespec::try_from(self.remaining(what)?)?)
    }

    /// This deadline, or one that far from now if that comes earlier.
    pub fn at_most(&self, length: Duration) -> Self {
        let left = self.length.saturating_sub(self.started.elapsed());
        Self::after(left.min(length))
    }
}
