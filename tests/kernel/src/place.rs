//! A recorder with a store and a socket of its own, and asking it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Context, Launch};

/// Where a recorder of the trial's keeps what it has, and listens.
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// A new place, which anybody may look into.
    pub fn new(context: &Context) -> anyhow::Result<Self> {
        let folder = context.folder()?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))
            .context("open a folder")?;
        Ok(Self { folder })
    }

    /// The folder of all of it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// The socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("run/recorder.sock")
    }

    /// A recorder that keeps and listens here.
    pub fn recorder<'a>(&self, context: &'a Context) -> Launch<'a> {
        context.recorder(&self.store()).at_socket(&self.socket())
    }

    /// What genome-trace answers to those words, as JSON, with what is here.
    pub fn ask(&self, context: &Context, words: &[&str]) -> anyhow::Result<Value> {
        let program = context.program(&context.setup.tracer).args(words).arg("--format=json");
        let program = program.arg("--socket").arg(self.socket()).arg("--store").arg(self.store());
        let ended = program.run()?;
        ensure!(ended.status.success(), "{words:?} did not succeed: {ended:?}");
        let [line] = ended.stdout.as_slice() else { anyhow::bail!("not one line: {ended:?}") };
        serde_json::from_str(line).with_context(|| format!("{words:?} is no JSON: {line}"))
    }
}
