//! A hard end for everything that is waited for.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::bail;

/// The moment after which a measurement is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    started: Instant,
    length: Duration,
}

impl Deadline {
    /// A deadline that far from now.
    pub(crate) fn after(length: Duration) -> Self {
        Self { started: Instant::now(), length }
    }

    /// How long is left for `what`; an error that names it when nothing is.
    pub(crate) fn remaining(&self, what: impl fmt::Display) -> anyhow::Result<Duration> {
        match self.length.checked_sub(self.started.elapsed()) {
            Some(left) if !left.is_zero() => Ok(left),
            _ => bail!("waited {:?} in vain: {what}", self.length),
        }
    }
}
