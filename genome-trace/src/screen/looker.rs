//! The thread that looks: a look may take long, and the screen goes on.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::sync::mpsc;

use super::look::{Look, Looks};

/// What the looker is told.
#[derive(Clone, Copy, Debug)]
enum Order {
    Interval(Duration),
    Pause(bool),
}

/// The looker's other end.
#[derive(Debug)]
pub(super) struct Looker {
    orders: Sender<Order>,
    looks: mpsc::Receiver<Result<Look, String>>,
}

impl Looker {
    /// Looks now and each time that the interval has passed.
    pub(super) fn start(source: Box<dyn Looks + Send>, interval: Duration) -> anyhow::Result<Self> {
        let (orders, received) = channel();
        // One waits at most: a screen that is stopped gets no backlog.
        let (sender, looks) = mpsc::channel(1);
        thread::Builder::new()
            .name("looks".to_owned())
            .spawn(move || work(source, interval, &received, &sender))
            .context("cannot start the thread that looks")?;
        Ok(Self { orders, looks })
    }

    /// The next look; `None` where there will be no more.
    pub(super) async fn next(&mut self) -> Option<Result<Look, String>> {
        self.looks.recv().await
    }

    /// Looks as often as this from now on.
    pub(super) fn interval(&self, interval: Duration) {
        // One that has ended is told by `next`.
        let _ = self.orders.send(Order::Interval(interval));
    }

    /// Looks no more, or again.
    pub(super) fn pause(&self, is_paused: bool) {
        let _ = self.orders.send(Order::Pause(is_paused));
    }
}

fn work(
    mut source: Box<dyn Looks + Send>,
    mut interval: Duration,
    orders: &Receiver<Order>,
    looks: &mpsc::Sender<Result<Look, String>>,
) {
    let mut is_paused = false;
    loop {
        let began = Instant::now();
        let look = source.look().map_err(|error| format!("{error:#}"));
        if looks.blocking_send(look).is_err() {
            return;
        }
        loop {
            let order = if is_paused {
                orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                orders.recv_timeout(interval.saturating_sub(began.elapsed()))
            };
            match order {
                Ok(Order::Interval(wanted)) => interval = wanted,
                Ok(Order::Pause(wanted)) => is_paused = wanted,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}
