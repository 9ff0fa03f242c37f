//! Options of `phase` and `report`.

use std::path::PathBuf;

use clap::Args;

use super::{DEFAULT_STORE, value};

/// Mark a phase.
#[derive(Args, Debug)]
pub struct Phase {
    /// What begins now, for example idle, model-loading, model-active
    #[arg(value_name = "NAME", value_parser = value::not_empty)]
    pub name: String,
}

/// Report a session.
#[derive(Args, Debug)]
pub struct Report {
    /// The session's id, looked for in this folder, or one of its files
    #[arg(value_name = "SESSION")]
    pub session: PathBuf,
    /// Write the report and its charts into this folder, as report.md and SVG
    /// files, in place of printing it
    #[arg(long, value_name = "FOLDER")]
    pub output_dir: Option<PathBuf>,
    /// Where a recorder keeps the crashes: a folder, or a file whose name ends
    /// in .db
    #[arg(long, value_name = "PATH", default_value = DEFAULT_STORE)]
    pub store: PathBuf,
}
