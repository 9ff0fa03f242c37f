//! Options of `--predict`.

use std::time::Duration;

use clap::Args;

use super::moment;

/// How far it is looked back.
#[derive(Args, Debug)]
pub struct PredictOptions {
    /// Tell when memory, GPU memory, file systems and descriptors run out, by
    /// how they went in this time up to now, from a recorder's store [default
    /// TIME: 15m]
    #[arg(
        long,
        value_name = "TIME",
        value_parser = moment::length,
        num_args = 0..=1,
        default_missing_value = "15m",
        conflicts_with_all = super::history::OF_OTHERS,
        conflicts_with_all = ["history", "compare", "metric", "genome_id"],
    )]
    pub predict: Option<Duration>,
}
