//! `--watch`: what every persona uses, live.

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use super::{follow, looks, session, written};
use crate::{
    cli::View,
    kernel::machine,
    screen::{self, Setting},
};

/// Shows the live screen, or on a pipe a table for each look.
pub(super) fn run(view: &View) -> anyhow::Result<ExitCode> {
    let source = looks::source(view)?;
    let source = match &view.watch_options.output {
        Some(output) => written::too(source, output)?,
        None => source,
    };
    let style = follow::style(view.no_color);
    let setting = Setting {
        host: machine::host_name(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time_zone: style.time_zone,
        color: style.color,
    };
    let interval = view.watch_options.interval.0;
    let runtime = session::event_loop()?;
    if io::stdout().is_terminal() {
        runtime.block_on(screen::run(source, setting, interval))?;
    } else {
        runtime.block_on(screen::run_plain(source, setting, interval))?;
    }
    Ok(ExitCode::SUCCESS)
}
