//! The committed BPF objects are those that the sources make.

use std::fs;

use anyhow::Context as _;

use super::Outcome;
use crate::bpf::build::{self, Built};
use crate::bpf::manifest::Manifest;
use crate::bpf::object::OBJECTS;
use crate::bpf::source_digest::source_sha256;
use crate::bpf::toolchain::Toolchain;
use crate::workspace::Workspace;

/// By its papers alone: no compiler needed.
pub(crate) fn is_fresh(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let manifest = Manifest::load(&workspace.manifest())?;
    let now = source_sha256(workspace.root())?;
    Ok(manifest.mismatch(&now, &committed(workspace)?).map_or(Outcome::Ok, Outcome::Failed))
}

fn committed(workspace: &Workspace) -> anyhow::Result<Vec<Built>> {
    let read = OBJECTS.into_iter().map(|object| {
        let path = object.path(workspace);
        let bytes = fs::read(&path).with_context(|| {
            format!("read {}; make it by `cargo xtask build-ebpf`", path.display())
        })?;
        Ok((object, bytes))
    });
    read.collect()
}

/// By building them once more, where this machine has the same toolchain.
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
    let difference = manifest.other_objects(&build::build(workspace, &toolchain)?);
    Ok(difference.map_or(Outcome::Ok, |difference| {
        Outcome::Failed(format!(
            "the same toolchain makes other objects: {difference}; run `cargo xtask build-ebpf`"
        ))
    }))
}
