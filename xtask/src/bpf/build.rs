//! Builds the BPF objects so that their bytes depend on the sources and the
//! toolchain alone: not on the clone's folder, nor on the host.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::object::{OBJECTS, Object};
use super::toolchain::{Compiler, Toolchain};
use super::{rustc_wrapper, strip};
use crate::cargo_messages::{FORMAT, executables};
use crate::process;
use crate::workspace::Workspace;

const TARGET: &str = "bpfel-unknown-none";

/// An object and its bytes.
pub(crate) type Built = (Object, Vec<u8>);

/// Builds all objects.
pub(crate) fn build(workspace: &Workspace, toolchain: &Toolchain) -> anyhow::Result<Vec<Built>> {
    // The folders of the fetched crates are named in the flags.
    process::run(cargo(workspace, toolchain)?.args(["fetch", "--target", TARGET]))?;
    OBJECTS
        .into_iter()
        .map(|object| Ok((object, build_one(workspace, toolchain, object)?)))
        .collect()
}

fn build_one(
    workspace: &Workspace,
    toolchain: &Toolchain,
    object: Object,
) -> anyhow::Result<Vec<u8>> {
    let target_dir = workspace.target().join("bpf");
    let mut command = cargo(workspace, toolchain)?;
    command
        .args(["build", "--release", "--target", TARGET])
        .arg(format!("--features={}", object.features.join(",")))
        .arg(FORMAT)
        .env("CARGO_TARGET_DIR", &target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", encode(&rustflags(workspace, toolchain)?)?);
    rustc_wrapper::install(&mut command)?;
    if toolchain.compiler == Compiler::Nightly {
        command.args(["-Z", "build-std=core"]);
    }
    let object = sole(executables(&process::stdout_with_talk(&mut command)?))?;
    let stripped = target_dir.join("stripped.o");
    strip::strip_dwarf(&toolchain.strip, &object, &stripped)?;
    fs::read(&stripped).with_context(|| format!("read {}", stripped.display()))
}

fn cargo(workspace: &Workspace, toolchain: &Toolchain) -> anyhow::Result<Command> {
    let mut command = toolchain.compiler.cargo();
    command.current_dir(workspace.ebpf_crate());
    // Found through PATH, so that the flags name no folder of this machine.
    let folder = toolchain.linker.parent().map(Path::to_path_buf);
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(folder.into_iter().chain(env::split_paths(&path)))
        .context("put bpf-linker's folder into PATH")?;
    command.env("PATH", path);
    Ok(command)
}

fn rustflags(workspace: &Workspace, toolchain: &Toolchain) -> anyhow::Result<Vec<OsString>> {
    let mut flags: Vec<OsString> = [
        "-Clinker=bpf-linker",
        "-Clink-arg=--btf",
        "-Cdebuginfo=2",
        // aya-ebpf would take the host's otherwise.
        "--cfg=bpf_target_arch=\"x86_64\"",
    ]
    .map(OsString::from)
    .into();
    for (from, to) in remapped_folders(workspace, toolchain.compiler)? {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push("=");
        flag.push(to);
        flags.push(flag);
    }
    Ok(flags)
}

/// Folders of this machine that would show in line information.
fn remapped_folders(
    workspace: &Workspace,
    compiler: Compiler,
) -> anyhow::Result<Vec<(PathBuf, &'static str)>> {
    let mut folders = vec![
        (workspace.root().to_path_buf(), "/genome-trace"),
        (compiler.sysroot()?.join("lib/rustlib/src/rust"), "/rust"),
    ];
    let sources = cargo_home()?.join("registry/src");
    // One folder for each registry or mirror of it, named after its host.
    if let Ok(registries) = fs::read_dir(&sources) {
        for registry in registries {
            let registry = registry.with_context(|| format!("list {}", sources.display()))?;
            folders.push((registry.path(), "/crates"));
        }
    }
    Ok(folders)
}

fn cargo_home() -> anyhow::Result<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .context("find cargo's home: neither CARGO_HOME nor HOME is set")
}

fn encode(flags: &[OsString]) -> anyhow::Result<OsString> {
    let mut encoded = OsString::new();
    for (n, flag) in flags.iter().enumerate() {
        if n > 0 {
            encoded.push("\u{1f}");
        }
        encoded.push(flag);
    }
    Ok(encoded)
}

/// The one executable that there may be.
fn sole(mut executables: Vec<PathBuf>) -> anyhow::Result<PathBuf> {
    match (executables.pop(), executables.pop()) {
        (Some(executable), None) => Ok(executable),
        (None, _) => bail!(
            "find the BPF object: cargo built no executable; genome-trace-ebpf must have a [[bin]]"
        ),
        (Some(one), Some(other)) => bail!(
            "find the BPF object: cargo built {} and {}; genome-trace-ebpf must have one [[bin]]",
            one.display(),
            other.display()
        ),
    }
}
