//! Options of `run`.

use std::{ffi::OsString, num::NonZeroU32, path::PathBuf};

use clap::Args;

use super::{Percent, RunFormat, value};
use crate::{detect::GateRule, gpu::DEFAULT_LIBRARY, probe::ModeChoice};

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
        conflicts_with_all = [
            "save", "baseline", "fail_on", "tolerance", "format", "output", "repeat", "config",
            "wait",
        ]
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
    /// more than once, and is beside those of the configuration
    #[arg(long, value_name = "RULE", help_heading = "Report")]
    pub fail_on: Vec<GateRule>,
    /// What is near enough for an amount, in percent of what it was before, in
    /// place of that of the configuration [default: 10]
    #[arg(long, value_name = "PCT", requires = "baseline", help_heading = "Report")]
    pub tolerance: Option<Percent>,
    /// How to tell at the end what the command did
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Report")]
    pub format: Option<RunFormat>,
    /// Tell it in this file, in place of stderr, which it shares with the
    /// command
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub output: Option<PathBuf>,
    /// Colour nothing (so does NO_COLOR, and any output that is no terminal)
    #[arg(long, help_heading = "Report")]
    pub no_color: bool,
    /// Run the command so many times, one after the other, so that its times can
    /// be compared
    #[arg(long, value_name = "N", help_heading = "Report")]
    pub repeat: Option<NonZeroU32>,
    /// Read this configuration, and the rules in its table [ci], in place of
    /// /etc/genome-trace/config.toml and of .genome-trace.toml in the current
    /// folder
    #[arg(long, value_name = "FILE", help_heading = "Report")]
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
            || self.output.is_some()
            || self.repeat.is_some()
    }
}
