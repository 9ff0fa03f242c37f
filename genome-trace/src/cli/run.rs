//! Options of `run`.

use std::{ffi::OsString, num::NonZeroU32, path::PathBuf};

use clap::{Args, ValueEnum};

use super::value;
use crate::{gpu::DEFAULT_LIBRARY, probe::ModeChoice};

/// Run a command, and say what it did to the machine.
#[derive(Args, Debug)]
pub struct Run {
    /// The persona's name: the command and all that it starts carry it
    #[arg(long, value_name = "NAME", value_parser = value::not_empty)]
    pub persona: Option<String>,
    /// What it is made of, for example a digest of model and adapter
    #[arg(long, value_name = "ID", value_parser = value::not_empty, requires = "persona")]
    pub genome_id: Option<String>,
    /// Trace nothing: only give the command its name, and become it
    #[arg(
        long,
        requires = "persona",
        conflicts_with_all = ["save", "baseline", "fail_on", "format", "repeat", "config", "wait"]
    )]
    pub name_only: bool,
    /// Keep what the command did in this file, as JSON
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub save: Option<PathBuf>,
    /// Compare with what --save kept in this file before
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub baseline: Option<PathBuf>,
    /// Fail, with status 3, where this holds, such as crashes>0,
    /// files_created>+10%, peak_rss_bytes>1.5GB or new-executable; may be given
    /// more than once
    #[arg(long, value_name = "RULE", value_parser = value::not_empty, help_heading = "Report")]
    pub fail_on: Vec<String>,
    /// How to tell at the end, on stderr, what the command did
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Report")]
    pub format: Option<RunFormat>,
    /// Run the command so many times, one after the other, so that its times can
    /// be compared
    #[arg(long, value_name = "N", help_heading = "Report")]
    pub repeat: Option<NonZeroU32>,
    /// Read this configuration, which may have rules in its table [ci], in
    /// place of /etc/genome-trace/config.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Run the command as this user [default: the one that called sudo, else
    /// the one that runs genome-trace]
    #[arg(long, value_name = "NAME", value_parser = value::not_empty)]
    pub user: Option<String>,
    /// Wait until all that the command has started has ended, too
    #[arg(long)]
    pub wait: bool,
    /// How to see writes and creations: auto, fexit, kprobe, syscall,
    /// tracepoint
    #[arg(long, default_value_t, value_name = "MODE")]
    pub probe_mode: ModeChoice,
    /// Which NVIDIA management library to load
    #[arg(long, value_name = "FILE", default_value = DEFAULT_LIBRARY)]
    pub nvml_library: PathBuf,
    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

impl Run {
    /// Whether what the command did is asked for, so that running it without
    /// that will not do.
    #[must_use]
    pub fn asks_for_a_report(&self) -> bool {
        self.save.is_some()
            || self.baseline.is_some()
            || !self.fail_on.is_empty()
            || self.format.is_some()
            || self.repeat.is_some()
    }

    /// How many times the command is to run.
    #[must_use]
    pub fn times(&self) -> u32 {
        self.repeat.map_or(1, NonZeroU32::get)
    }
}

/// How a run is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RunFormat {
    /// For people
    #[default]
    Table,
    /// One line of JSON
    Json,
    /// JUnit's XML
    Junit,
    /// Markdown
    Markdown,
    /// Commands of a GitHub workflow, and its job's summary
    Github,
}
