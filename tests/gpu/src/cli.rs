//! The command line: definitions only.

use std::path::PathBuf;

use clap::Parser;

/// genome-trace on this machine's GPU, held against nvidia-smi
#[derive(Parser)]
#[command(name = "genome-trace-gpu-check", version)]
pub(crate) struct Cli {
    /// Where to write the report
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}
