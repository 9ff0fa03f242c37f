//! What rustup has to add: the tools of `check`, and the compiler for BPF where
//! Debian's packages are not to be had.

use std::process::Command;

use anyhow::bail;

use super::say;
use crate::process;

/// Adds rustfmt and clippy, which rustup's minimal profile leaves out.
pub(crate) fn install_components() -> anyhow::Result<()> {
    let missing: Vec<&str> = [("rustfmt", "fmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(_, subcommand)| {
            process::run_quietly(Command::new("cargo").args([subcommand, "--version"])).is_err()
        })
        .map(|(component, _)| component)
        .collect();
    if missing.is_empty() {
        say("ok: rustfmt and clippy");
        return Ok(());
    }
    say(&format!("install {}", missing.join(" and ")));
    process::run(rustup()?.args(["component", "add"]).args(missing))
}

/// Installs rustup's nightly with what `-Z build-std=core` and strip need.
pub(crate) fn install_nightly() -> anyhow::Result<()> {
    say("install rustup's nightly with rust-src and llvm-tools");
    process::run(rustup()?.args([
        "toolchain",
        "install",
        "nightly",
        "--profile=minimal",
        "--component=rust-src",
        "--component=llvm-tools",
    ]))
}

fn rustup() -> anyhow::Result<Command> {
    if process::find("rustup").is_none() {
        bail!("start rustup: it is not here; install it from https://rustup.rs");
    }
    Ok(Command::new("rustup"))
}
