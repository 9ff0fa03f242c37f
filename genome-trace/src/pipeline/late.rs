//! Crashes that are not complete yet: what is known of an end only after it.
//!
//! A GPU's driver is heard later than the end that its error caused, the last
//! files of a process are told by the flush of counts that follows its end, and
//! the names of a stack are looked up by a thread. What must be taken at the
//! end itself, before the PID is another's, waits here with it.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::stacks::Stacks;
use crate::{
    detect::{Ended, add_stderr, masked},
    model::{Crash, Event},
};

/// How long an error of a GPU is waited for. The kernel's log and NVML tell of
/// one within milliseconds; one waits up to 300 ms for the other.
const DRIVER_PATIENCE: Duration = Duration::from_secs(1);
/// How long anything is waited for; then a crash is told without.
const PATIENCE: Duration = Duration::from_secs(10);
/// Ends that wait at the same time; where there are more, the earliest is told
/// as it is.
const WAITING_MAX: usize = 256;

/// Ends that wait, the earliest first.
#[derive(Default)]
pub(super) struct Late(VecDeque<Waiting>);

/// What a run still waits for.
#[derive(Clone, Copy)]
pub(super) enum Phase {
    /// All that may come, now.
    Running(Instant),
    /// No event comes any more, but names of stacks may.
    Ending,
    /// Nothing.
    Over,
}

struct Waiting {
    ended: Box<Ended>,
    /// What the process wrote last to its standard error.
    stderr: Option<Vec<u8>>,
    since: Instant,
    files: Files,
}

/// How far the flush is that tells of a process' last files.
#[derive(PartialEq, Eq)]
enum Files {
    Awaited,
    Begun,
    Told,
}

impl Late {
    /// A process has ended; with what was taken of it then.
    pub(super) fn add(&mut self, ended: Box<Ended>, stderr: Option<Vec<u8>>, now: Instant) {
        let files = if ended.awaits_files() { Files::Awaited } else { Files::Told };
        self.0.push_back(Waiting { ended, stderr, since: now, files });
    }

    /// Hears of an event that came after an end.
    pub(super) fn hear(&mut self, event: &Event<'_>) {
        for waiting in &mut self.0 {
            waiting.ended.hear(event);
        }
    }

    /// A flush of counts begins: it has the last files of all who have ended by
    /// now, not of who ends while it goes on. Whether one waits for it.
    pub(super) fn flush_begins(&mut self) -> bool {
        let mut is_awaited = false;
        for waiting in self.0.iter_mut().filter(|waiting| waiting.files != Files::Told) {
            waiting.files = Files::Begun;
            is_awaited = true;
        }
        is_awaited
    }

    /// All of that flush was told.
    pub(super) fn flushed(&mut self) {
        for waiting in self.0.iter_mut().filter(|waiting| waiting.files == Files::Begun) {
            waiting.files = Files::Told;
        }
    }

    /// The next crash that is complete, the earliest first. Ends that turned out
    /// to be none are dropped.
    pub(super) fn next(&mut self, stacks: &mut Option<Stacks>, phase: Phase) -> Option<Box<Crash>> {
        loop {
            let mut ends = self.0.iter();
            let complete = ends.position(|waiting| waiting.is_complete(stacks, phase));
            let index = complete.or((self.0.len() > WAITING_MAX).then_some(0))?;
            let Waiting { ended, stderr, .. } = self.0.remove(index)?;
            let stack = stacks.as_mut().and_then(|stacks| stacks.take(ended.so_far().key));
            if let Some(mut crash) = ended.crash() {
                crash.stack = stack;
                if let Some(stderr) = stderr {
                    let text = masked(&String::from_utf8_lossy(&stderr)).into_owned();
                    add_stderr(&mut crash, text);
                }
                return Some(crash);
            }
        }
    }

    /// Whether none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Waiting {
    /// Whether nothing more is waited for: the one place that says so.
    fn is_complete(&self, stacks: &mut Option<Stacks>, phase: Phase) -> bool {
        let is_named = |stacks: &mut Option<Stacks>| {
            stacks.as_mut().is_none_or(|stacks| stacks.is_named(self.ended.so_far()))
        };
        match phase {
            Phase::Running(now) => {
                let waited = now.saturating_duration_since(self.since);
                let driver_told = !self.ended.awaits_driver() || waited >= DRIVER_PATIENCE;
                let all_told = self.files == Files::Told && driver_told && is_named(stacks);
                all_told || waited >= PATIENCE
            }
            Phase::Ending => is_named(stacks),
            Phase::Over => true,
        }
    }
}

#[cfg(test)]
#[path = "late_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
