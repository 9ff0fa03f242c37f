//! A process that says by a file that it was there.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::cli::Touch;
use crate::sys::process;

pub(crate) fn run(args: &Touch) -> anyhow::Result<()> {
    leave_pid(&args.path)?;
    if let Some(path) = &args.child_path {
        let child = process::fork(|| leave_pid(path).map(|()| 0)).context("fork a child")?;
        child.finish()?;
    }
    Ok(())
}

/// Creates the file, with this process' pid in it.
pub(super) fn leave_pid(path: &Path) -> anyhow::Result<()> {
    fs::write(path, std::process::id().to_string())
        .with_context(|| format!("write {}", path.display()))
}
