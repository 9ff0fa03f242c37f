//! Options of `baseline`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{DEFAULT_STORE, value};

/// What personas are used to.
#[derive(Args, Debug)]
pub struct Baseline {
    /// What to do.
    #[command(subcommand)]
    pub action: BaselineAction,
}

/// What can be done with habits.
#[derive(Debug, Subcommand)]
pub enum BaselineAction {
    /// Show what personas are used to, as of a minute ago where a recorder runs
    Show(BaselineShow),
    /// Forget what a persona, or everybody, is used to; a recorder that runs
    /// does so within about a minute, and begins to learn anew
    Reset(BaselineReset),
}

/// Options of `baseline show`.
#[derive(Args, Debug)]
pub struct BaselineShow {
    /// Only this persona
    #[arg(value_name = "PERSONA", value_parser = value::not_empty)]
    pub persona: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: BaselineFormat,
    /// Colour nothing (so does NO_COLOR, and any output that is no terminal)
    #[arg(long)]
    pub no_color: bool,
    /// The recorder's configuration, which says how many samples a habit needs
    /// [default: /etc/genome-trace/config.toml]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the recorder keeps what it learns: a folder, or a file whose name
    /// ends in .db
    #[arg(long, value_name = "PATH", default_value = DEFAULT_STORE)]
    pub store: PathBuf,
}

/// Options of `baseline reset`.
#[derive(Args, Debug)]
pub struct BaselineReset {
    /// Only this persona [default: everybody]
    #[arg(value_name = "PERSONA", value_parser = value::not_empty)]
    pub persona: Option<String>,
    /// Where the recorder keeps what it learns, which this user must be allowed
    /// to write: a folder, or a file whose name ends in .db
    #[arg(long, value_name = "PATH", default_value = DEFAULT_STORE)]
    pub store: PathBuf,
}

/// Ways to print habits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum BaselineFormat {
    /// For people
    #[default]
    Table,
    /// One JSON object
    Json,
    /// A line for each habit
    Csv,
}
