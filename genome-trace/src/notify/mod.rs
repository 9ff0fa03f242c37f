//! Who is told of alerts, beside store and readers: a terminal, the journal,
//! the desktop, web servers, commands. Each channel has a bounded queue and a
//! thread of its own, so that none holds up the tracer or another.

mod attempts;
mod command;
mod desktop;
mod message;
mod queue;
mod stderr;
#[cfg(test)]
mod tests;
mod webhook;

pub use attempts::Attempts;
pub use command::{Command, CommandOptions};
pub use desktop::Desktop;
pub use message::{Message, test_alert};
pub use stderr::{Journal, Terminal};
pub use webhook::{Webhook, WebhookOptions};

use std::{sync::Arc, time::Duration};

use crate::model::{Alert, Severity};
use queue::Queue;

/// Takes alerts somewhere. Whatever it does, it comes back in bounded time.
pub trait Channel: Send {
    /// Takes one there.
    ///
    /// # Errors
    /// It did not arrive.
    fn send(&mut self, message: &Message) -> Result<(), Failure>;
}

/// Why an alert did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may arrive when it is tried again.
    Passing(String),
    /// It will not, however often it is tried.
    Lasting(String),
    /// There is nobody there, which is no error: told once.
    Absent(String),
}

impl Failure {
    /// In words.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Passing(reason) | Self::Lasting(reason) | Self::Absent(reason) => reason,
        }
    }
}

/// A channel, and which alerts it gets.
pub struct Configured {
    /// Its name in the configuration: `terminal`, `webhook.NAME`.
    pub name: String,
    /// The mildest that it gets.
    pub least: Severity,
    /// What it does.
    pub channel: Box<dyn Channel>,
}

impl Configured {
    /// Tries at once, and waits for what becomes of it.
    ///
    /// # Errors
    /// It did not arrive.
    pub fn try_out(&mut self, message: &Message, attempts: Attempts) -> Result<(), Failure> {
        attempts.send(self.channel.as_mut(), message, |pause| {
            std::thread::sleep(pause);
            true
        })
    }
}

/// The channels of a run.
#[derive(Default)]
pub struct Notifier {
    host: Arc<str>,
    queues: Vec<(Severity, Queue)>,
}

impl Notifier {
    /// Starts a thread for each channel. `say` gets lines about the channels
    /// themselves.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(host: &str, channels: Vec<Configured>, say: fn(&str)) -> std::io::Result<Self> {
        let queues = channels
            .into_iter()
            .map(|configured| {
                let least = configured.least;
                Ok((least, Queue::start(configured, Attempts::default(), say)?))
            })
            .collect::<std::io::Result<_>>()?;
        Ok(Self { host: host.into(), queues })
    }

    /// Tells who is to be told. Returns at once.
    pub fn tell(&self, alert: &Alert) {
        if !alert.change.is_told() {
            return;
        }
        let mut message = None;
        for (_, queue) in self.queues.iter().filter(|(least, _)| alert.severity >= *least) {
            let message = message.get_or_insert_with(|| {
                Arc::new(Message::new(alert.clone(), Arc::clone(&self.host)))
            });
            queue.push(Arc::clone(message));
        }
    }

    /// Lets the channels send what waits, for as long as `patience`; what was
    /// not sent by then is told.
    pub fn end(self, patience: Duration) {
        let until = std::time::Instant::now() + patience;
        for (_, queue) in &self.queues {
            queue.close();
        }
        for (_, queue) in self.queues {
            queue.end(until);
        }
    }
}
