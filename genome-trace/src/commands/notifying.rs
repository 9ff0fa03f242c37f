//! Channels as they are configured, and the recorder's way to them.

use std::{
    cell::RefCell,
    fs,
    io::{self, IsTerminal as _},
    rc::Rc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use rustix::process::geteuid;

use super::config::{Channels, Config};
use crate::{
    kernel::{machine, service::stderr_is_journal, user::User},
    model::Alert,
    notify::{
        Command, CommandOptions, Configured, Desktop, Journal, Notifier, Terminal, Webhook,
        WebhookOptions,
    },
    render::text::Escaped,
};

/// How long channels may take for what waits when the recorder ends.
const LAST_ALERTS: Duration = Duration::from_secs(5);
/// As whom root runs commands where no user is named.
const NOBODY: &str = "nobody";

/// Every channel that is on and has something to do. With `is_test`, every one
/// that is on, and commands may say something.
pub(super) fn channels(config: &Config, is_test: bool) -> anyhow::Result<Vec<Configured>> {
    let Channels { terminal, journal, desktop, webhook, command } = config.channels();
    let mut channels = Vec::new();
    let mut add = |name: String, least, channel| {
        channels.push(Configured { name, least, channel });
    };
    // One of these two has nothing to do; only a test says which.
    let is_terminal = io::stderr().is_terminal();
    if let Some(least) = terminal.least().filter(|_| is_terminal || is_test) {
        let color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        add("terminal".to_owned(), least, Box::new(Terminal { color }) as Box<_>);
    }
    if let Some(least) = journal.least().filter(|_| !is_terminal || is_test) {
        let has_priorities = stderr_is_journal();
        add("journal".to_owned(), least, Box::new(Journal { has_priorities }));
    }
    if let Some(least) = desktop.least() {
        add("desktop".to_owned(), least, Box::new(Desktop));
    }
    for (name, table) in webhook {
        let authorities = table.ca.as_deref().map(|file| {
            fs::read(file).map_err(|error| {
                let file = file.display();
                cannot("webhook", name, &format!("its ca {file} cannot be read: {error}"))
            })
        });
        let options = WebhookOptions {
            url: table.url(),
            headers: table.headers(),
            timeout: table.timeout(),
            authorities: authorities.transpose()?,
        };
        let channel = Webhook::new(options).map_err(|reason| cannot("webhook", name, &reason))?;
        add(format!("webhook.{name}"), table.least(), Box::new(channel));
    }
    for (name, table) in command {
        let user = user(table.user.as_deref())
            .map_err(|error| cannot("command", name, &format!("{error:#}")))?;
        let options = CommandOptions {
            argv: table.argv(),
            user,
            timeout: table.timeout(),
            shows_stderr: is_test,
        };
        add(format!("command.{name}"), table.least(), Box::new(Command::new(options)));
    }
    Ok(channels)
}

fn cannot(sort: &str, name: &str, reason: &str) -> anyhow::Error {
    let name = Escaped(name.as_bytes());
    anyhow::anyhow!(
        "cannot tell alerts through {sort}.{name}: {reason}; correct the table \
         [alerts.{sort}.{name}] of the configuration, or take it out"
    )
}

/// User and group of commands; `None` for the recorder's own.
fn user(name: Option<&str>) -> anyhow::Result<Option<(u32, u32)>> {
    if !geteuid().is_root() {
        let Some(name) = name else { return Ok(None) };
        let found = User::by_name(name).context("its user cannot be looked up")?;
        return match found {
            Some(user) if user.uid == geteuid().as_raw() => Ok(None),
            _ => bail!("it is to run as {name:?}, which only root may make it"),
        };
    }
    let name = name.unwrap_or(NOBODY);
    match User::by_name(name).context("its user cannot be looked up")? {
        Some(user) => Ok(Some((user.uid, user.gid))),
        None => bail!("there is no user {name:?} to run it as; name one with user"),
    }
}

/// The channels of a recorder. Clones are the same ones.
#[derive(Clone, Default)]
pub(super) struct Notifying(Rc<RefCell<Notifier>>);

impl Notifying {
    pub(super) fn start(config: &Config) -> anyhow::Result<Self> {
        Ok(Self(Rc::new(RefCell::new(notifier(config)?))))
    }

    /// Goes by another configuration. What waits for the channels before is
    /// still sent.
    pub(super) fn set(&self, config: &Config) -> anyhow::Result<()> {
        let new = notifier(config)?;
        drop(self.0.replace(new));
        Ok(())
    }

    pub(super) fn tell(&self, alert: &Alert) {
        self.0.borrow().tell(alert);
    }

    /// Waits for the channels, a little.
    pub(super) fn end(&self) {
        self.0.take().end(LAST_ALERTS);
    }
}

fn notifier(config: &Config) -> anyhow::Result<Notifier> {
    let channels = channels(config, false)?;
    Notifier::start(&machine::host_name(), channels, |line| eprintln!("genome-trace: {line}"))
        .context("cannot start the channels of alerts")
}
