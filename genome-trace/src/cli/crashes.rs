//! Options of `--crashes`.

use std::time::Duration;

use clap::Args;

use super::moment::{self, Moment};

/// Which crashes, and how much of them.
#[derive(Args, Debug)]
pub struct CrashOptions {
    /// Only those of this time before now, for example 30m, 24h, 7d
    /// [default: 24h]
    #[arg(long, conflicts_with_all = ["follow", "stats", "since", "until"], value_name = "TIME", value_parser = moment::length, help_heading = "Crashes and alerts")]
    pub last: Option<Duration>,
    /// Only those from then on, for example "3 min ago", 14:00, 2026-11-18,
    /// 2026-11-18T14:00:00Z [default: 24h before the end]
    #[arg(long, conflicts_with_all = ["follow", "stats"], value_name = "WHEN", help_heading = "Crashes and alerts")]
    pub since: Option<Moment>,
    /// Only those before then, likewise [default: now]
    #[arg(long, conflicts_with_all = ["follow", "stats"], value_name = "WHEN", help_heading = "Crashes and alerts")]
    pub until: Option<Moment>,
    /// Show each crash, not only the last one of each persona; each alert in
    /// full, not only ten
    #[arg(long, conflicts_with_all = ["follow", "stats"], help_heading = "Crashes and alerts")]
    pub all: bool,
    /// Show this crash alone, whole
    #[arg(
        long,
        conflicts_with_all = ["follow", "stats", "last", "since", "until", "all", "kind", "persona"],
        value_name = "ID",
        help_heading = "Crashes and alerts"
    )]
    pub crash: Option<i64>,
}
