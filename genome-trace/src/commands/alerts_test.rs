//! `alerts test`: whether an alert would reach anybody.

use std::process::ExitCode;

use crate::cli::AlertsTest;

pub(super) fn run(_: &AlertsTest) -> anyhow::Result<ExitCode> {
    anyhow::bail!("unfinished")
}
