//! Options of `--stats` and `--genome-id`.

use clap::Args;

use super::value;
use crate::model::SortKey;

/// How personas are sorted, and which one is shown.
#[derive(Args, Debug)]
pub struct StatsOptions {
    /// What --stats sorts personas by: a metric such as rss_bytes or
    /// cpu_percent, or name, genome_id, rss_limit_bytes, crashes, age
    #[arg(
        long,
        conflicts_with_all = [
            "follow", "crashes", "history", "compare", "watch", "genome_id", "predict", "alerts",
        ],
        value_name = "METRIC",
        default_value_t,
        help_heading = "Figures"
    )]
    pub sort: SortKey,
    /// Show one persona: what it uses, its processes, its models, its last hour.
    /// The first characters of its genome id are enough where no other's begins
    /// with them
    #[arg(
        long,
        value_name = "PREFIX",
        value_parser = value::not_empty,
        conflicts_with_all = [
            "follow", "crashes", "history", "compare", "watch", "kind", "pid", "comm", "uid",
            "cgroup", "exclude_self", "metric", "duration", "probe_mode", "ring_size",
            "lifecycle_ring_size", "no_store", "gpu_interval", "kernel_log", "record_raw", "last",
            "since", "until", "all", "crash",
        ]
    )]
    pub genome_id: Option<String>,
}
