//! The command line: definitions only.

use std::path::PathBuf;

use clap::Parser;

/// What genome-trace costs those it watches, against no tracer and against its peers
#[derive(Parser)]
#[command(name = "genome-trace-bench", version)]
pub(crate) struct Cli {
    /// genome-trace
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) tracer: PathBuf,
    /// genome-trace-workload
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) workload: PathBuf,
    /// A library in NVML's place, for what looking at GPUs costs
    #[arg(long, value_name = "FILE")]
    pub(crate) fake_nvml: Option<PathBuf>,
    /// A folder on the disk that is measured
    #[arg(long, value_name = "FOLDER", default_value = "/var/tmp")]
    pub(crate) disk: PathBuf,
    /// The folder of other people's test suites, as tests/suites/fetch.sh fills it
    #[arg(long, value_name = "FOLDER")]
    pub(crate) suites: Option<PathBuf>,
    /// Be done in about a minute: fewer and shorter runs, no slow peers
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only the mode that genome-trace chooses by itself
    #[arg(long)]
    pub(crate) first_mode: bool,
    /// Only this scenario or row; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// How many pairs of runs [default: 7, with --quick 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: Option<u32>,
    /// How long a run without a tracer is [default: 400, with --quick 150]
    #[arg(long, value_name = "MILLISECONDS")]
    pub(crate) run_ms: Option<u64>,
    /// Only genome-trace
    #[arg(long)]
    pub(crate) no_peers: bool,
    /// Where to write the report
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// An earlier report, whose ratios are shown beside this one's
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
}
