//! Looks that are written to a session's files, too.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use anyhow::anyhow;

use crate::{
    kernel::clock,
    model::EventKind,
    screen::{Look, Looks, ToldEvent},
    sink::session::{SessionWriter, runtime_folders},
};

/// Begins a session of what `source` sees.
///
/// # Errors
/// Its files, or the one by which it is found, cannot be made.
pub(super) fn too(
    source: Box<dyn Looks + Send>,
    output: &Path,
) -> anyhow::Result<Box<dyn Looks + Send>> {
    let folder = runtime_folders().into_iter().next().ok_or_else(|| {
        anyhow!(
            "cannot begin a session: there is no folder in which genome-trace phase finds it; \
             set XDG_RUNTIME_DIR, as a login does"
        )
    })?;
    let session = SessionWriter::begin(output, &folder, clock::now()).map_err(|error| {
        anyhow!(
            "cannot begin a session at {}: {error}; give --output a file in a folder that there \
             is, with room, and that you may write to",
            output.display()
        )
    })?;
    eprintln!(
        "genome-trace: session {}, into {} (genome-trace phase NAME marks a phase, genome-trace \
         report {} tells of it)",
        session.id(),
        session.file().display(),
        session.id()
    );
    Ok(Box::new(Written { source, session }))
}

struct Written {
    source: Box<dyn Looks + Send>,
    session: SessionWriter,
}

impl Looks for Written {
    fn look(&mut self) -> anyhow::Result<Look> {
        let mut look = self.source.look()?;
        if let Some(sentence) = self.session.look(&look.usage, look.gpus.as_ref()) {
            // A screen has the terminal to itself.
            if io::stdout().is_terminal() {
                look.events.push(ToldEvent { kind: EventKind::Lost, line: sentence });
            } else {
                eprintln!("genome-trace: {sentence}");
            }
        }
        Ok(look)
    }
}
