//! `phase`: marks a phase of the sessions that are running.

use std::process::ExitCode;

use crate::{
    cli::Phase,
    kernel::clock::{ClockOffset, boot_ns},
    render::text::Escaped,
    sink::session::{mark_phase, runtime_folders},
};

/// Marks, and says on stderr in which.
pub(super) fn run(options: &Phase) -> anyhow::Result<ExitCode> {
    let now = ClockOffset::now().wall_time(boot_ns());
    for marked in mark_phase(&runtime_folders(), &options.name, now)? {
        eprintln!(
            "genome-trace: session {}: {}",
            Escaped(marked.id.as_bytes()),
            Escaped(options.name.as_bytes())
        );
    }
    Ok(ExitCode::SUCCESS)
}
