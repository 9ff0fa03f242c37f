//! Options of `--history` and `--compare`.

use std::time::Duration;

use clap::Args;

use super::{moment, when::When};
use crate::model::Metric;

/// What these views have no use for. Conflicts go both ways.
pub(super) const OF_OTHERS: [&str; 24] = [
    "follow",
    "stats",
    "crashes",
    "watch",
    "kind",
    "pid",
    "comm",
    "uid",
    "cgroup",
    "exclude_self",
    "personas",
    "duration",
    "probe_mode",
    "ring_size",
    "lifecycle_ring_size",
    "no_store",
    "gpu_interval",
    "nvml_library",
    "kernel_log",
    "last",
    "since",
    "until",
    "all",
    "crash",
];

/// Which stretch of time, and which figures.
#[derive(Args, Debug)]
pub struct HistoryOptions {
    /// Show how figures went in this time up to now, for example 1h, 24h, 7d,
    /// from a recorder's store
    #[arg(long, value_name = "TIME", value_parser = moment::length, conflicts_with_all = OF_OTHERS, conflicts_with = "compare")]
    pub history: Option<Duration>,
    /// Show figures of now against those of then, and what else changed:
    /// yesterday (today against the same hours of yesterday), 1h (the last hour
    /// against the one before), 2026-11-18 (today against the same hours of that
    /// day), 2026-11-18T14:00..15:00 (as long a time up to now against that one);
    /// two runs of a command are compared by genome-trace compare
    #[arg(long, value_name = "WHEN", conflicts_with_all = OF_OTHERS)]
    pub compare: Option<When>,
    /// Only this metric, for example rss_bytes; may be given more than once
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with_all = ["follow", "stats", "crashes"],
        help_heading = "Figures"
    )]
    pub metric: Vec<Metric>,
}
