//! `build-ebpf`: the BPF objects and their manifest.

pub(crate) mod build;
pub(crate) mod manifest;
pub(crate) mod object;
pub(crate) mod rustc_wrapper;
pub(crate) mod source_digest;
mod strip;
pub(crate) mod toolchain;

use std::fs;

use anyhow::Context as _;

use crate::workspace::Workspace;
use manifest::Manifest;
use toolchain::Toolchain;

/// Builds the objects and puts them where the binary embeds them from.
pub(crate) fn build_ebpf(workspace: &Workspace) -> anyhow::Result<()> {
    let toolchain = Toolchain::find(workspace)?;
    let objects = build::build(workspace, &toolchain)?;
    let manifest = Manifest::new(workspace, &toolchain.identity, &objects)?;

    let folder = workspace.embedded_objects();
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    for (object, bytes) in &objects {
        let path = object.path(workspace);
        fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
        eprintln!("xtask: {} ({} bytes)", path.display(), bytes.len());
    }
    manifest.save(&workspace.manifest())
}
