//! The committed BPF object is the one that the sources make.

use std::fs;

use anyhow::Context as _;

use super::Outcome;
use crate::bpf::build;
use crate::bpf::manifest::Manifest;
use crate::bpf::source_digest::{sha256_hex, source_sha256};
use crate::bpf::toolchain::Toolchain;
use crate::workspace::Workspace;

/// By its papers alone: no compiler needed.
pub(crate) fn is_fresh(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let manifest = Manifest::load(&workspace.manifest())?;
    let path = workspace.embedded_object();
    let object = fs::read(&path)
        .with_context(|| format!("read {}; make it by `cargo xtask build-ebpf`", path.display()))?;
    let now = source_sha256(workspace.root())?;
    Ok(manifest.mismatch(&now, &object).map_or(Outcome::Ok, Outcome::Failed))
}

/// By building it once more, where this machine has the same toolchain.
pub(crate) fn is_reproducible(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let manifest = Manifest::load(&workspace.manifest())?;
    let toolchain = match Toolchain::find(workspace) {
        Ok(toolchain) => toolchain,
        Err(error) => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    if toolchain.identity != manifest.toolchain {
        return Ok(Outcome::Skipped(format!(
            "built by {}, here is {}",
            manifest.toolchain, toolchain.identity
        )));
    }
    let object_sha256 = sha256_hex(&build::build(workspace, &toolchain)?);
    if object_sha256 != manifest.object_sha256 {
        return Ok(Outcome::Failed(format!(
            "the same toolchain makes an object with sha256 {object_sha256}, the manifest says {}; \
             run `cargo xtask build-ebpf`",
            manifest.object_sha256
        )));
    }
    Ok(Outcome::Ok)
}
