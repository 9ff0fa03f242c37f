//! bpf-linker, built for this clone in its target folder: another clone may
//! want another version.

use anyhow::{Context as _, bail};

use super::{llvm, say};
use crate::artifacts;
use crate::bpf::toolchain::{BPF_LINKER_VERSION, Compiler, find_linker};
use crate::process;
use crate::workspace::Workspace;

/// Builds and installs the pinned version.
pub(crate) fn install(workspace: &Workspace) -> anyhow::Result<()> {
    let compiler =
        Compiler::find().context("build bpf-linker: the compiler for BPF is still missing")?;
    let llvm = llvm::find(compiler)?;
    say(&format!(
        "install bpf-linker {BPF_LINKER_VERSION} on LLVM {} (about a minute)",
        llvm.major
    ));
    process::run(
        artifacts::cargo(workspace)
            .args(["install", "--quiet", "bpf-linker", "--locked", "--force"])
            .args(["--version", BPF_LINKER_VERSION])
            .args(["--no-default-features", "--features", &format!("llvm-{}", llvm.major)])
            .arg("--root")
            .arg(workspace.tools())
            .arg("--target-dir")
            .arg(workspace.target().join("bpf-linker"))
            .env("LLVM_PREFIX", &llvm.prefix),
    )?;
    if find_linker(workspace).is_none() {
        bail!(
            "start the bpf-linker just built in {}: it does not say that it is {BPF_LINKER_VERSION}",
            workspace.tools().display()
        );
    }
    Ok(())
}
