//! The command line: what can be asked for. No logic.

mod age;
mod alerts;
mod baseline;
mod compare_runs;
mod crashes;
mod history;
mod interval;
mod kind;
mod listen;
mod moment;
mod predict;
mod record;
mod remedy;
mod run;
mod session;
mod size;
mod stats;
mod value;
mod watch;
mod when;

pub use age::Age;
pub use alerts::{AlertOptions, Alerts, AlertsAction, AlertsTest};
pub use baseline::{Baseline, BaselineAction, BaselineFormat, BaselineReset, BaselineShow};
pub use compare_runs::{CompareRuns, Percent, RunFormat};
pub use crashes::CrashOptions;
pub use history::HistoryOptions;
pub use interval::Interval;
pub use kind::Kind;
pub use listen::Listen;
pub use moment::Moment;
pub use predict::PredictOptions;
pub use record::{DEFAULT_SOCKET, DEFAULT_STORE, Record};
pub use remedy::{OneApproval, RemedyAction, RemedyOptions};
pub use run::Run;
pub use session::{Phase, Report};
pub use size::Size;
pub use stats::StatsOptions;
pub use watch::{WatchInterval, WatchOptions};
pub use when::When;

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, Args, CommandFactory as _, Parser, Subcommand, ValueEnum, error::ErrorKind};

use crate::{
    gpu::DEFAULT_LIBRARY,
    kernel::log::KERNEL_LOG,
    model::{CrashKind, EventKind},
    probe::ModeChoice,
};

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
        sudo genome-trace --stats\n  \
        sudo genome-trace --watch\n  \
        sudo genome-trace record\n  \
        genome-trace --genome-id=a3f9\n  \
        genome-trace --crashes --last=1h\n  \
        genome-trace --alerts --last=24h\n  \
        genome-trace --history=24h\n  \
        genome-trace --compare=yesterday\n  \
        genome-trace compare before.json after.json --fail-on='crashes>0'\n  \
        genome-trace --predict\n  \
        sudo genome-trace --follow --pid=4711 --format=json > trace.jsonl\n  \
        genome-trace doctor\n\n\
        Tracing needs root, or CAP_BPF and CAP_PERFMON: see genome-trace doctor.\n\
        Events go to stdout, everything else to stderr. Exit status: 0, 1 for a failure, \
        2 for a wrong command line; compare has others, see its help.",
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

    /// This process' command line. Ends the process where there is nothing to
    /// do but to say what is wrong with it, or to print help.
    #[must_use]
    pub fn read() -> Self {
        let read = Self::try_parse();
        let read = read.and_then(|cli| cli.contradiction().map_or(Ok(cli), Err));
        read.unwrap_or_else(|error| {
            // A status of 2 may be that of the command that run should have run.
            if error.use_stderr() && std::env::args_os().nth(1).is_some_and(|word| word == "run") {
                // Nobody is there to be told that stderr is closed.
                let _ = error.print();
                std::process::exit(Self::RUN_FAILED);
            }
            error.exit()
        })
    }

    /// Status of `run` where genome-trace itself failed (env(1), timeout(1)).
    const RUN_FAILED: i32 = 125;

    /// What contradicts itself, and clap has no rule for.
    fn contradiction(&self) -> Option<clap::Error> {
        let View { follow, crashes, format, crash_options, .. } = &self.view;
        let conflict = |text: &str| Some(Self::command().error(ErrorKind::ArgumentConflict, text));
        if self.action.is_some() {
            return None;
        }
        match format {
            ViewFormat::Prometheus if *follow => conflict(
                "'--format prometheus' cannot be used with '--follow': metrics are of a report, \
                 such as --stats; give --format=json to follow events by a program",
            ),
            ViewFormat::Prometheus if crash_options.crash.is_some() => conflict(
                "'--format prometheus' cannot be used with '--crash': metrics are of a stretch of \
                 time; give --format=json for one crash",
            ),
            ViewFormat::Prometheus if self.view.history_options.compare.is_some() => conflict(
                "'--format prometheus' cannot be used with '--compare': two stretches of time are \
                 no metric; give --format=json, or --history for metrics of one",
            ),
            ViewFormat::Csv if *follow => conflict(
                "'--format csv' cannot be used with '--follow': it is for a report, such as \
                 '--stats' or '--crashes'; give --format=json to follow events by a program",
            ),
            _ => self.view.wrong_kind(*crashes),
        }
    }
}

impl View {
    /// Kinds of events that are asked for; empty for all.
    #[must_use]
    pub fn event_kinds(&self) -> Vec<EventKind> {
        self.kind.iter().filter_map(|kind| kind.event()).collect()
    }

    /// Kinds of crashes that are asked for; empty for all.
    #[must_use]
    pub fn crash_kinds(&self) -> Vec<CrashKind> {
        self.kind.iter().filter_map(|kind| kind.crash()).collect()
    }

    /// A kind that this view does not have.
    fn wrong_kind(&self, crashes: bool) -> Option<clap::Error> {
        let wrong = self.kind.iter().find(|kind| kind.crash().is_some() != crashes)?;
        let (is, has) = if crashes {
            ("a kind of event; with '--crashes' there are", kind::crash_kinds())
        } else {
            ("a kind of crash; with '--follow' there are", kind::event_kinds())
        };
        Some(Cli::command().error(
            ErrorKind::ValueValidation,
            format!("invalid value '{wrong}' for '--kind <KIND>': it is {is} {has}"),
        ))
    }
}

/// Actions.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Say what this kernel and machine allow, and what to do about the rest
    Doctor(Doctor),
    /// List the personas that there are now, their processes, and what decided
    Personas(Personas),
    /// Run a command, and say what it did to the machine; as a persona, where
    /// it has a name
    Run(Run),
    /// Compare two runs of a command that run --save kept, and fail where a
    /// rule is broken
    Compare(CompareRuns),
    /// Record everything that happens in a store, until it is stopped
    Record(Record),
    /// Try out how alerts are told
    Alerts(Alerts),
    /// Show or forget what personas are used to, by which they are judged
    Baseline(Baseline),
    /// Mark that a phase begins, in the sessions that --output writes now
    Phase(Phase),
    /// Report what a session came to: peaks, averages, memory that was not
    /// given back, crashes, charts
    Report(Report),
    /// Approve what the recorder may do about alerts, and see what it did
    Remedy(RemedyOptions),
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
    pub format: ReportFormat,
    /// How to see writes and creations: auto, fexit, kprobe, syscall,
    /// tracepoint
    #[arg(long, default_value_t, value_name = "MODE")]
    pub probe_mode: ModeChoice,
    /// Colour nothing (so does NO_COLOR, and any output that is no terminal)
    #[arg(long)]
    pub no_color: bool,
    /// Which NVIDIA management library to load
    #[arg(long, value_name = "FILE", default_value = DEFAULT_LIBRARY)]
    pub nvml_library: PathBuf,
    /// Where to look for a recorder
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET, conflicts_with = "cost")]
    pub socket: PathBuf,
    /// Trace for this time, and say what each probe costs [default TIME: 5s]
    #[arg(
        long,
        value_name = "TIME",
        value_parser = value::duration,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "5s",
        required_if_eq("format", "prometheus"),
        help_heading = "Cost"
    )]
    pub cost: Option<Duration>,
    /// Trace only this process and its descendants; may be given more than once
    #[arg(long, value_name = "PID", requires = "cost", help_heading = "Cost")]
    pub pid: Vec<u32>,
    /// Trace only this persona; may be given more than once
    #[arg(long, value_name = "NAME", requires = "cost", help_heading = "Cost")]
    pub persona: Vec<String>,
    /// Rules that say whose a process is, before those in
    /// /etc/genome-trace/personas.toml; may be given more than once
    #[arg(long, value_name = "FILE", requires = "cost", help_heading = "Cost")]
    pub personas: Vec<PathBuf>,
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

/// Views and what they are narrowed to.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("one_view").required(true).multiple(true).args(["follow", "stats", "crashes", "history", "compare", "predict", "watch", "genome_id", "alerts"]))]
pub struct View {
    /// Show events as they happen, until Ctrl-C
    #[arg(long, conflicts_with_all = ["stats", "crashes"])]
    pub follow: bool,
    /// Show how this machine is: status, GPUs, what each persona uses, the last
    /// minutes, warnings and recommendations
    #[arg(long)]
    pub stats: bool,
    /// Show who crashed, of what, and what speaks for that, from a recorder's
    /// store
    #[arg(long, conflicts_with = "stats")]
    pub crashes: bool,
    /// How figures went, and what changed.
    #[command(flatten)]
    pub history_options: HistoryOptions,
    /// What runs out.
    #[command(flatten)]
    pub predict_options: PredictOptions,

    /// Only these kinds, separated by commas: with --follow exec, fork, exit,
    /// signal, oom_kill, file_create, file_write, file_unlink, gpu_xid,
    /// vram_spike, alert, lost, and with --crashes oom, fatal_signal, killed,
    /// error_exit, gpu_fault
    #[arg(
        long,
        conflicts_with = "stats",
        value_delimiter = ',',
        value_name = "KIND",
        help_heading = "Filters"
    )]
    pub kind: Vec<Kind>,
    /// Only this persona; may be given more than once
    #[arg(long, conflicts_with = "stats", value_name = "NAME", help_heading = "Filters")]
    pub persona: Vec<String>,
    /// Only this process and its descendants; may be given more than once
    #[arg(long, conflicts_with_all = ["stats", "crashes"], value_name = "PID", help_heading = "Filters")]
    pub pid: Vec<u32>,
    /// Only processes of this name (as in ps -o comm); may be given more than once
    #[arg(long, conflicts_with_all = ["stats", "crashes"], value_name = "NAME", value_parser = value::comm, help_heading = "Filters")]
    pub comm: Vec<String>,
    /// Only processes of this user id; may be given more than once
    #[arg(long, conflicts_with_all = ["stats", "crashes"], value_name = "UID", value_parser = value::uid, help_heading = "Filters")]
    pub uid: Vec<u32>,
    /// Only processes in this cgroup or below it, for example
    /// /system.slice/ollama.service; may be given more than once
    #[arg(long, conflicts_with_all = ["stats", "crashes"], value_name = "PATH", value_parser = value::cgroup, help_heading = "Filters")]
    pub cgroup: Vec<String>,
    /// Leave out genome-trace's own events
    #[arg(
        long, conflicts_with_all = ["stats", "crashes"],
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
    #[arg(long, conflicts_with = "crashes", value_name = "FILE", help_heading = "Personas")]
    pub personas: Vec<PathBuf>,

    /// How to print
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", help_heading = "Output")]
    pub format: ViewFormat,
    /// Colour nothing (so does NO_COLOR, and any output that is no terminal)
    #[arg(long, help_heading = "Output")]
    pub no_color: bool,

    /// End after this time, for example 30s, 5m, 1h
    #[arg(long, conflicts_with_all = ["stats", "crashes"], value_name = "TIME", value_parser = value::duration, help_heading = "Tracing")]
    pub duration: Option<Duration>,
    /// Trace with probes of its own, even where a recorder runs that --follow
    /// could attach to; so do --pid, --personas, --store elsewhere, and the
    /// options of probes and GPUs
    #[arg(long, conflicts_with = "crashes", help_heading = "Tracing")]
    pub own_probes: bool,
    /// Where the recorder listens that --follow attaches to, and that --stats
    /// asks
    #[arg(
        long,
        conflicts_with_all = ["crashes", "own_probes"],
        value_name = "PATH",
        default_value = DEFAULT_SOCKET,
        help_heading = "Tracing"
    )]
    pub socket: PathBuf,
    /// How to see writes and creations: auto, fexit, kprobe, syscall,
    /// tracepoint
    #[arg(
        long,
        conflicts_with_all = ["stats", "crashes"],
        default_value_t,
        value_name = "MODE",
        help_heading = "Tracing"
    )]
    pub probe_mode: ModeChoice,
    /// Size of the ring of file events, for example 64K, 16M; rounded up to a
    /// power of two [default: by the number of processors]
    #[arg(long, conflicts_with_all = ["stats", "crashes"], value_name = "BYTES", value_parser = value::ring_size, help_heading = "Tracing")]
    pub ring_size: Option<Size>,
    /// Size of the ring of process events, likewise
    #[arg(long, conflicts_with_all = ["stats", "crashes"], value_name = "BYTES", value_parser = value::ring_size, help_heading = "Tracing")]
    pub lifecycle_ring_size: Option<Size>,
    /// Record nothing: without this, what happens on the whole machine is kept
    /// beside showing it, where no recorder does so already
    #[arg(long, conflicts_with_all = ["stats", "crashes"], help_heading = "Store")]
    pub no_store: bool,
    /// Where to record, or what --crashes, --alerts, --history, --compare,
    /// --predict, --stats and --genome-id read: a folder, or a file whose name
    /// ends in .db
    #[arg(
        long,
        conflicts_with = "no_store",
        value_name = "PATH",
        default_value = DEFAULT_STORE,
        help_heading = "Store"
    )]
    pub store: PathBuf,
    /// How often to look who holds GPU memory, for example 500ms, 10s; off
    /// looks never
    #[arg(
        long,
        conflicts_with_all = ["stats", "crashes"],
        value_name = "TIME",
        default_value_t = Interval::Every(Duration::from_secs(1)),
        help_heading = "GPUs"
    )]
    pub gpu_interval: Interval,
    /// Which NVIDIA management library to load
    #[arg(long, conflicts_with = "crashes", value_name = "FILE", default_value = DEFAULT_LIBRARY, help_heading = "GPUs")]
    pub nvml_library: PathBuf,
    /// Where the kernel's messages are read, for tests
    #[arg(
        long,
        conflicts_with_all = ["stats", "crashes"],
        value_name = "FILE",
        default_value = KERNEL_LOG,
        hide = true
    )]
    pub kernel_log: PathBuf,
    /// Keep the records themselves in this file, too, for tests and benchmarks
    #[arg(long, conflicts_with_all = ["stats", "crashes"], value_name = "FILE", hide = true)]
    pub record_raw: Option<PathBuf>,
    /// The live screen.
    #[command(flatten)]
    pub watch_options: WatchOptions,
    /// How personas are sorted, and which one is shown.
    #[command(flatten)]
    pub stats_options: StatsOptions,
    /// Which crashes.
    #[command(flatten)]
    pub crash_options: CrashOptions,
    /// Which alerts.
    #[command(flatten)]
    pub alert_options: AlertOptions,
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

/// Ways to print a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    #[default]
    Table,
    /// One JSON object
    Json,
    /// Metrics, as OpenMetrics text: of doctor --cost
    Prometheus,
}

/// Ways to print a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ViewFormat {
    /// For people
    #[default]
    Table,
    /// JSON: one object, or with --follow one a line
    Json,
    /// A line for each crash, alert, figure, persona or process: of reports, not of
    /// --follow
    Csv,
    /// Metrics, as OpenMetrics text: of --stats, --genome-id, --crashes,
    /// --alerts, --history and --predict
    Prometheus,
}

#[cfg(test)]
mod tests;
