//! The command line: what can be asked for. No logic.

mod size;
mod value;

pub use size::Size;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::{model::EventKind, probe::ModeChoice};

/// Says which process on this machine crashed, filled the disk or took the
/// memory, from the kernel's own events.
#[derive(Debug, Parser)]
#[command(
    name = "genome-trace",
    version,
    about,
    long_about = None,
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true,
    after_help = "Tracing needs root, or CAP_BPF and CAP_PERFMON: see genome-trace doctor.",
    after_long_help = "Examples:\n  \
        sudo genome-trace --follow\n  \
        sudo genome-trace --follow --kind=exit,signal,oom_kill\n  \
        sudo genome-trace --follow --persona=CodeExpert\n  \
        genome-trace run --persona=CodeExpert -- python3 agent.py\n  \
        sudo genome-trace --follow --pid=4711 --format=json > trace.jsonl\n  \
        genome-trace doctor\n\n\
        Tracing needs root, or CAP_BPF and CAP_PERFMON: see genome-trace doctor.\n\
        Events go to stdout, everything else to stderr. Exit status: 0, 1 for a failure, \
        2 for a wrong command line.",
)]
pub struct Cli {
    /// An action, in place of a view.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// The views and their options.
    #[command(flatten)]
    pub view: View,
}

impl Cli {
    /// The command line's own description, for completions and the man page.
    #[must_use]
    pub fn description() -> clap::Command {
        Self::command()
    }
}

/// Actions.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Say what this kernel and machine allow, and what to do about the rest
    Doctor(Doctor),
    /// List the personas that there are now, their processes, and what decided
    Personas(Personas),
    /// Run a command as a persona: it and all that it starts carry the name
    Run(Run),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Options of `doctor`.
#[derive(Args, Debug)]
pub struct Doctor {
    /// How to print the report
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// How to see writes and creations: auto, fexit, kprobe, tracepoint
    #[arg(long, default_value_t, value_name = "MODE")]
    pub probe_mode: ModeChoice,
    /// Colour nothing (so does NO_COLOR, and any output that is no terminal)
    #[arg(long)]
    pub no_color: bool,
}

/// Who is who now.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Personas {
    /// What to do instead of listing.
    #[command(subcommand)]
    pub action: Option<PersonasAction>,
    /// Rules that say whose a process is, before those in
    /// /etc/genome-trace/personas.toml; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub personas: Vec<PathBuf>,
    /// How to print the list
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Colour nothing (so does NO_COLOR, and any output that is no terminal)
    #[arg(long)]
    pub no_color: bool,
}

/// What can be done with rules.
#[derive(Debug, Subcommand)]
pub enum PersonasAction {
    /// Say what is wrong in a rule file, or what each rule of it matches now
    Check {
        /// The file
        file: PathBuf,
    },
}

/// Run a command as a persona.
#[derive(Args, Debug)]
pub struct Run {
    /// The persona's name
    #[arg(long, value_name = "NAME", value_parser = value::not_empty)]
    pub persona: String,
    /// What it is made of, for example a digest of model and adapter
    #[arg(long, value_name = "ID", value_parser = value::not_empty)]
    pub genome_id: Option<String>,
    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Views and what they are narrowed to.
#[derive(Args, Debug)]
pub struct View {
    /// Show events as they happen, until Ctrl-C
    #[arg(long, required = true)]
    pub follow: bool,

    /// Only these kinds, separated by commas: exec, fork, exit, signal,
    /// oom_kill, file_create, file_write, file_unlink, lost
    #[arg(long, value_delimiter = ',', value_name = "KIND", help_heading = "Filters")]
    pub kind: Vec<EventKind>,
    /// Only this persona; may be given more than once
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    pub persona: Vec<String>,
    /// Only this process and its descendants; may be given more than once
    #[arg(long, value_name = "PID", help_heading = "Filters")]
    pub pid: Vec<u32>,
    /// Only processes of this name (as in ps -o comm); may be given more than once
    #[arg(long, value_name = "NAME", value_parser = value::comm, help_heading = "Filters")]
    pub comm: Vec<String>,
    /// Only processes of this user id; may be given more than once
    #[arg(long, value_name = "UID", value_parser = value::uid, help_heading = "Filters")]
    pub uid: Vec<u32>,
    /// Only processes in this cgroup or below it, for example
    /// /system.slice/ollama.service; may be given more than once
    #[arg(long, value_name = "PATH", value_parser = value::cgroup, help_heading = "Filters")]
    pub cgroup: Vec<String>,
    /// Leave out genome-trace's own events
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set,
        help_heading = "Filters"
    )]
    pub exclude_self: bool,

    /// Rules that say whose a process is, before those in
    /// /etc/genome-trace/personas.toml; may be given more than once
    #[arg(long, value_name = "FILE", help_heading = "Personas")]
    pub personas: Vec<PathBuf>,

    /// How to print events
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", help_heading = "Output")]
    pub format: Format,
    /// Colour nothing (so does NO_COLOR, and any output that is no terminal)
    #[arg(long, help_heading = "Output")]
    pub no_color: bool,

    /// End after this time, for example 30s, 5m, 1h
    #[arg(long, value_name = "TIME", value_parser = value::duration, help_heading = "Tracing")]
    pub duration: Option<Duration>,
    /// How to see writes and creations: auto, fexit, kprobe, tracepoint
    #[arg(long, default_value_t, value_name = "MODE", help_heading = "Tracing")]
    pub probe_mode: ModeChoice,
    /// Size of the ring of file events, for example 64K, 16M; rounded up to a
    /// power of two [default: by the number of processors]
    #[arg(long, value_name = "BYTES", value_parser = value::ring_size, help_heading = "Tracing")]
    pub ring_size: Option<Size>,
    /// Size of the ring of process events, likewise
    #[arg(long, value_name = "BYTES", value_parser = value::ring_size, help_heading = "Tracing")]
    pub lifecycle_ring_size: Option<Size>,
}

/// Ways to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// One JSON object a line
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_holds_together() {
        Cli::description().debug_assert();
    }
}
