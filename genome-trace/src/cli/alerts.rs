//! Options of `--alerts`, and the actions on alerts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::model::{Rule, Severity};

/// What this view has no use for. Conflicts go both ways.
const OF_OTHERS: [&str; 25] = [
    "follow",
    "stats",
    "crashes",
    "history",
    "compare",
    "watch",
    "genome_id",
    "kind",
    "pid",
    "comm",
    "uid",
    "cgroup",
    "exclude_self",
    "personas",
    "duration",
    "own_probes",
    "socket",
    "probe_mode",
    "ring_size",
    "lifecycle_ring_size",
    "no_store",
    "gpu_interval",
    "nvml_library",
    "metric",
    "crash",
];

const OTHER_VIEWS: [&str; 7] =
    ["follow", "stats", "crashes", "history", "compare", "watch", "genome_id"];

/// Which alerts, and how much of them.
#[derive(Args, Debug)]
pub struct AlertOptions {
    /// Show what went wrong and what does now, since when, how badly, and what
    /// to do about it, from a recorder's store
    #[arg(long, conflicts_with_all = OF_OTHERS)]
    pub alerts: bool,
    /// Only alerts of this rule, for example memory_leak; may be given more than
    /// once
    #[arg(long, value_name = "RULE", conflicts_with_all = OTHER_VIEWS, help_heading = "Alerts")]
    pub rule: Vec<Rule>,
    /// Only alerts so bad or worse: warning, error, critical
    #[arg(long, value_name = "SEVERITY", conflicts_with_all = OTHER_VIEWS, help_heading = "Alerts")]
    pub severity: Option<Severity>,
    /// Only alerts that are not over
    #[arg(long, conflicts_with_all = OTHER_VIEWS, help_heading = "Alerts")]
    pub open: bool,
}

/// What can be done with alerts.
#[derive(Args, Debug)]
pub struct Alerts {
    /// What to do.
    #[command(subcommand)]
    pub action: AlertsAction,
}

/// What can be done with alerts.
#[derive(Debug, Subcommand)]
pub enum AlertsAction {
    /// Send an alert that is marked as a test through every channel that is
    /// configured, and say for each whether it went
    Test(AlertsTest),
}

/// Options of `alerts test`.
#[derive(Args, Debug)]
pub struct AlertsTest {
    /// Only through this channel, for example terminal or webhook.NAME
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// The configuration; without this /etc/genome-trace/config.toml, where
    /// there is one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}
