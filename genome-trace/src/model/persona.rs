//! Personas: for whom a process works, and how that was found out.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// A named AI worker. Names are data from outside: whoever shows one escapes
/// its control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Persona {
    /// Its name, never empty.
    pub name: String,
    /// What it is made of; `None` where nobody said.
    pub genome_id: Option<String>,
}

/// What decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonaSource {
    /// `GENOME_PERSONA` or `GENOME_ID` in the environment at exec.
    Environment,
    /// A rule of a file.
    Rule {
        /// The file, as it was named.
        file: Arc<str>,
        /// Line that the rule begins in, from 1.
        line: usize,
    },
    /// A rule that genome-trace brings along.
    BuiltIn {
        /// Its label, for example `vLLM`.
        label: Arc<str>,
    },
    /// The container that the process is in.
    Container,
    /// The systemd unit that the process is in.
    Unit,
}

impl PersonaSource {
    /// One word for JSON and filters.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Rule { .. } => "rule",
            Self::BuiltIn { .. } => "built_in",
            Self::Container => "container",
            Self::Unit => "unit",
        }
    }
}

impl fmt::Display for PersonaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("environment"),
            Self::Rule { file, line } => write!(f, "{file}:{line}"),
            Self::BuiltIn { label } => write!(f, "built-in: {label}"),
            Self::Container => f.write_str("container"),
            Self::Unit => f.write_str("systemd unit"),
        }
    }
}

/// A persona, and what decided on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whose the process is.
    pub persona: Persona,
    /// By what.
    pub source: PersonaSource,
}
