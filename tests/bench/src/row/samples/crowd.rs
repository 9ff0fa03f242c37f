//! Many quiet processes, of some personas.

use std::process::{Command, Stdio};

use crate::child::Running;

/// Processes that are there and do nothing.
pub(in crate::row) const PROCESSES: u32 = 500;
/// Personas that they are of, as many of each.
pub(in crate::row) const PERSONAS: u32 = 20;

/// Starts them. Their name is short: of a longer one psutil would read the
/// command line, too.
pub(super) fn start() -> anyhow::Result<Vec<Running>> {
    let one = |index: u32| {
        let mut command = Command::new("sleep");
        command.arg("3600").stdin(Stdio::null());
        command.env("GENOME_PERSONA", name(index % PERSONAS)).env_remove("GENOME_ID");
        Running::start("a worker", &mut command)
    };
    (0..PROCESSES).map(one).collect()
}

/// A persona's name, which nobody else has.
pub(in crate::row) fn name(persona: u32) -> String {
    format!("bench-{}-{persona:02}", std::process::id())
}
