//! Options of `remedy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Age, record::DEFAULT_STORE, value};
use crate::model::{Remedy, Rule};

/// What may be done about alerts.
#[derive(Args, Debug)]
pub struct RemedyOptions {
    /// What to do
    #[command(subcommand)]
    pub action: RemedyAction,
    /// The recorder's store, beside which the approvals are
    #[arg(long, global = true, value_name = "PATH", default_value = DEFAULT_STORE)]
    pub store: PathBuf,
}

/// What can be done with approvals.
#[derive(Debug, Subcommand)]
pub enum RemedyAction {
    /// Show what is approved, what awaits an approval, and what was done
    List {
        /// How far back
        #[arg(long, value_name = "TIME", default_value = "24h")]
        last: Age,
    },
    /// Let the recorder do this from now on, whenever it is called for
    Approve(OneApproval),
    /// Take an approval back
    Revoke(OneApproval),
}

/// Which approval.
#[derive(Args, Debug)]
pub struct OneApproval {
    /// The rule of the alert, for example mass_create
    pub rule: Rule,
    /// What to do: kill, stop, throttle
    pub remedy: Remedy,
    /// To whose processes
    #[arg(value_parser = value::not_empty)]
    pub persona: String,
}
