//! `--watch`: what every persona uses, live.

use std::{
    ffi::OsStr,
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use super::{follow, looks, session, written};
use crate::{
    cli::View,
    kernel::machine,
    screen::{self, Setting},
};

/// Shows the live screen, or on a pipe, and on a terminal that has no screen, a
/// table for each look.
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
    if io::stdout().is_terminal() && can_move(std::env::var_os("TERM").as_deref()) {
        runtime.block_on(screen::run(source, setting, interval))?;
    } else {
        runtime.block_on(screen::run_plain(source, setting, interval))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a terminal of this name (`TERM`) can be written to other than line by
/// line.
fn can_move(term: Option<&OsStr>) -> bool {
    term.is_some_and(|term| !term.is_empty() && term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dumb_terminal_gets_lines() {
        for (term, is_able) in
            [(Some("xterm"), true), (Some("dumb"), false), (Some(""), false), (None, false)]
        {
            assert_eq!(can_move(term.map(OsStr::new)), is_able, "{term:?}");
        }
    }
}
