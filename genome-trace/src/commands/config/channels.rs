//! Who is told of alerts, and of which.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{alerts::Level, values::Span};
use crate::model::Severity;

/// Longer, and it is of no use any more.
const TIMEOUT: Duration = Duration::from_secs(10);
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// All of them.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands) struct Channels<'a> {
    pub(in crate::commands) terminal: &'a OnByDefault,
    pub(in crate::commands) journal: &'a OnByDefault,
    pub(in crate::commands) desktop: &'a OffByDefault,
    pub(in crate::commands) webhook: &'a BTreeMap<String, WebhookTable>,
    pub(in crate::commands) command: &'a BTreeMap<String, CommandTable>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table such as [alerts.terminal]")]
pub(in crate::commands) struct OnByDefault {
    enabled: Option<bool>,
    severity: Option<Level>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "the table [alerts.desktop]")]
pub(in crate::commands) struct OffByDefault {
    enabled: Option<bool>,
    severity: Option<Level>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table such as [alerts.webhook.NAME]")]
pub(in crate::commands) struct WebhookTable {
    url: Secret,
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
    severity: Option<Level>,
    timeout: Option<Span>,
    pub(in crate::commands) ca: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table such as [alerts.command.NAME]")]
pub(in crate::commands) struct CommandTable {
    argv: Program,
    pub(in crate::commands) user: Option<String>,
    severity: Option<Level>,
    timeout: Option<Span>,
}

/// What is not to be told.
#[derive(Deserialize)]
#[serde(transparent)]
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A program and its arguments: no shell reads them.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
struct Program(Vec<String>);

impl TryFrom<Vec<String>> for Program {
    type Error = String;

    fn try_from(argv: Vec<String>) -> Result<Self, String> {
        match argv.first() {
            Some(program) if !program.is_empty() => Ok(Self(argv)),
            _ => {
                Err("argv names no program; write [\"/path/to/program\", \"argument\"]".to_owned())
            }
        }
    }
}

fn least(level: Option<Level>) -> Severity {
    level.map_or(Severity::Warning, |level| level.0)
}

fn length(span: Option<Span>, default: Duration) -> Duration {
    span.map_or(default, |span| Duration::from_nanos(span.into()))
}

impl OnByDefault {
    /// The mildest that it gets; `None` where it is off.
    pub(in crate::commands) fn least(&self) -> Option<Severity> {
        self.enabled.unwrap_or(true).then(|| least(self.severity))
    }
}

impl OffByDefault {
    /// The mildest that it gets; `None` where it is off.
    pub(in crate::commands) fn least(&self) -> Option<Severity> {
        self.enabled.unwrap_or(false).then(|| least(self.severity))
    }
}

impl WebhookTable {
    pub(in crate::commands) fn least(&self) -> Severity {
        least(self.severity)
    }

    pub(in crate::commands) fn timeout(&self) -> Duration {
        length(self.timeout, TIMEOUT)
    }

    pub(in crate::commands) fn url(&self) -> String {
        self.url.0.clone()
    }

    pub(in crate::commands) fn headers(&self) -> Vec<(String, String)> {
        self.headers.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect()
    }
}

impl CommandTable {
    pub(in crate::commands) fn least(&self) -> Severity {
        least(self.severity)
    }

    pub(in crate::commands) fn timeout(&self) -> Duration {
        length(self.timeout, COMMAND_TIMEOUT)
    }

    pub(in crate::commands) fn argv(&self) -> Vec<String> {
        self.argv.0.clone()
    }
}
