//! A channel's queue and its thread: what waits is bounded, and what finds no
//! room or does not arrive is counted and told.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

use super::{Attempts, Configured, Failure, Message};

/// Alerts that wait for a channel: an alert is some KiB, and a channel that is
/// so far behind is of no use any more.
pub(super) const WAITING_MAX: usize = 256;

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<Message>>,
    /// Nothing more comes.
    is_closed: bool,
    /// Nobody waits for it any more.
    is_over: bool,
    /// The thread has ended.
    has_ended: bool,
    dropped: u64,
    dropped_told: u64,
    in_work: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&'a self, state: MutexGuard<'a, State>, until: Instant) -> MutexGuard<'a, State> {
        let left = until.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout(state, left);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

pub(super) struct Queue {
    shared: Arc<Shared>,
    name: String,
    say: fn(&str),
    thread: Option<JoinHandle<()>>,
}

impl Queue {
    pub(super) fn start(
        configured: Configured,
        attempts: Attempts,
        say: fn(&str),
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let name = configured.name.clone();
        let own = Arc::clone(&shared);
        let thread = Builder::new().name("alerts".to_owned()).spawn(move || {
            Work { configured, attempts, shared: own, say, failing: 0, is_absent: false }.run();
        })?;
        Ok(Self { shared, name, say, thread: Some(thread) })
    }

    /// Returns at once: what finds no room is counted.
    pub(super) fn push(&self, message: Arc<Message>) {
        let mut state = self.shared.lock();
        if state.waiting.len() >= WAITING_MAX {
            state.dropped = state.dropped.saturating_add(1);
        } else {
            state.waiting.push_back(message);
        }
        self.shared.changed.notify_all();
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        self.shared.lock().is_closed = true;
        self.shared.changed.notify_all();
    }

    /// Waits for what is being sent until then. A thread that hangs is left
    /// behind: it ends with the process.
    pub(super) fn end(mut self, until: Instant) {
        self.close();
        let mut state = self.shared.lock();
        while !state.has_ended && Instant::now() < until {
            state = self.shared.wait(state, until);
        }
        state.is_over = true;
        let has_ended = state.has_ended;
        let unsent = state.waiting.len() + usize::from(state.in_work);
        drop(state);
        self.shared.changed.notify_all();
        if has_ended {
            if let Some(thread) = self.thread.take() {
                let _ = thread.join();
            }
        } else if unsent > 0 {
            (self.say)(&format!(
                "{unsent} alert{} did not go through the channel {} before the end",
                if unsent == 1 { "" } else { "s" },
                self.name
            ));
        }
    }
}

impl Drop for Queue {
    /// Its thread sends what waits, and ends.
    fn drop(&mut self) {
        self.close();
    }
}

/// What the thread does.
struct Work {
    configured: Configured,
    attempts: Attempts,
    shared: Arc<Shared>,
    say: fn(&str),
    /// Alerts in a row that did not arrive.
    failing: u64,
    is_absent: bool,
}

impl Work {
    fn run(mut self) {
        while let Some(message) = self.next() {
            let shared = Arc::clone(&self.shared);
            let attempts = self.attempts;
            let outcome = attempts.send(self.configured.channel.as_mut(), &message, |pause| {
                shared.is_wanted_after(pause)
            });
            self.account(outcome);
        }
        let mut state = self.shared.lock();
        state.has_ended = true;
        drop(state);
        self.shared.changed.notify_all();
    }

    fn next(&self) -> Option<Arc<Message>> {
        let mut state = self.shared.lock();
        state.in_work = false;
        loop {
            if state.is_over {
                return None;
            }
            // Each line stands for as many as all before it.
            if state.dropped > 0 && state.dropped >= state.dropped_told.saturating_mul(2) {
                state.dropped_told = state.dropped;
                let dropped = state.dropped;
                drop(state);
                self.tell(&format!("is too slow: {dropped} found no room so far"));
                state = self.shared.lock();
            }
            if let Some(message) = state.waiting.pop_front() {
                state.in_work = true;
                return Some(message);
            }
            if state.is_closed {
                return None;
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn account(&mut self, outcome: Result<(), Failure>) {
        match outcome {
            Ok(()) => {
                if self.failing > 0 {
                    let failed = self.failing;
                    self.tell(&format!("works again; {failed} did not go through it meanwhile"));
                }
                (self.failing, self.is_absent) = (0, false);
            }
            Err(Failure::Absent(reason)) => {
                if !self.is_absent {
                    self.tell(&format!("has nobody to tell: {reason}"));
                }
                self.is_absent = true;
            }
            Err(Failure::Passing(reason) | Failure::Lasting(reason)) => {
                self.failing = self.failing.saturating_add(1);
                // The first, the second, the fourth.
                if self.failing.is_power_of_two() {
                    let failed = self.failing;
                    self.tell(&format!("failed: {reason}; {failed} in a row did not go through"));
                }
            }
        }
    }

    fn tell(&self, what: &str) {
        (self.say)(&format!("the alert channel {} {what}", self.configured.name));
    }
}

impl Shared {
    /// Waits; whether to go on then.
    fn is_wanted_after(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        let mut state = self.lock();
        while !state.is_over && Instant::now() < until {
            state = self.wait(state, until);
        }
        !state.is_over
    }
}
