//! `build-ebpf`: the BPF object and its manifest.

pub(crate) mod build;
pub(crate) mod manifest;
pub(crate) mod rustc_wrapper;
pub(crate) mod source_digest;
mod strip;
pub(crate) mod toolchain;

use std::fs;

use anyhow::Context as _;

use crate::workspace::Workspace;
use manifest::Manifest;
use toolchain::Toolchain;

/// Builds the object and puts it where the binary embeds it from.
pub(crate) fn build_ebpf(workspace: &Workspace) -> anyhow::Result<()> {
    let toolchain = Toolchain::find(workspace)?;
    let object = build::build(workspace, &toolchain)?;
    let manifest = Manifest::new(workspace, &toolchain.identity, &object)?;

    let path = workspace.embedded_object();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    }
    fs::write(&path, &object).with_context(|| format!("write {}", path.display()))?;
    manifest.save(&workspace.manifest())?;
    eprintln!(
        "xtask: {} ({} bytes, sha256 {})",
        path.display(),
        object.len(),
        manifest.object_sha256
    );
    Ok(())
}
