//! Where things lie in this clone.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The clone that xtask works on.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Asks cargo's environment first: a built xtask may have been moved along
    /// with its clone.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let manifest_dir = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest_dir
            .parent()
            .with_context(|| {
                format!(
                    "find the workspace: {} has no parent; start xtask as `cargo xtask`",
                    manifest_dir.display()
                )
            })?
            .to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => env::current_dir()
                .context("find the target folder: the current folder is gone")?
                .join(folder),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The clone's top folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target folder.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The crate of the BPF programs.
    pub(crate) fn ebpf_crate(&self) -> PathBuf {
        self.root.join("genome-trace-ebpf")
    }

    /// The folder of the BPF objects that the binary embeds.
    pub(crate) fn embedded_objects(&self) -> PathBuf {
        self.root.join("genome-trace/bpf")
    }

    /// What the embedded objects were built from, and with.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.embedded_objects().join("manifest.json")
    }

    /// The most instructions that the verifier may go through.
    pub(crate) fn verifier_budget(&self) -> PathBuf {
        self.root.join("tests/kernel/verifier-budget.txt")
    }

    /// Other people's test suites: what `GENOME_TRACE_SUITES` names, or a folder
    /// of this clone.
    pub(crate) fn suites(&self) -> PathBuf {
        env::var_os("GENOME_TRACE_SUITES").map_or_else(|| self.target.join("suites"), PathBuf::from)
    }

    /// Tools that `setup` builds for this clone alone.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }
}
