//! rustfmt and clippy on both workspaces.

use std::process::Command;

use super::Outcome;
use crate::artifacts::cargo;
use crate::process;
use crate::workspace::Workspace;

/// rustfmt on our own workspace.
pub(crate) fn format(workspace: &Workspace) -> anyhow::Result<Outcome> {
    quietly(cargo(workspace).args(["fmt", "--all", "--check"]))
}

/// rustfmt on the BPF crate.
pub(crate) fn format_ebpf(workspace: &Workspace) -> anyhow::Result<Outcome> {
    quietly(ebpf_cargo(workspace).args(["fmt", "--check"]))
}

/// clippy on our own workspace.
pub(crate) fn clippy(workspace: &Workspace) -> anyhow::Result<Outcome> {
    quietly(cargo(workspace).args([
        "clippy",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-Dwarnings",
    ]))
}

/// clippy on the BPF crate, for the host: no clippy comes with Debian's
/// compiler. The test profile brings std's panic handler, without which rustc
/// refuses the crate there.
pub(crate) fn clippy_ebpf(workspace: &Workspace) -> anyhow::Result<Outcome> {
    quietly(
        ebpf_cargo(workspace)
            .env("CARGO_TARGET_DIR", workspace.target().join("bpf-clippy"))
            .args(["clippy", "--quiet", "--locked", "--profile=test", "--", "-Dwarnings"]),
    )
}

fn ebpf_cargo(workspace: &Workspace) -> Command {
    let mut command = cargo(workspace);
    command.current_dir(workspace.ebpf_crate());
    command
}

fn quietly(command: &mut Command) -> anyhow::Result<Outcome> {
    process::run_quietly(command).map(|()| Outcome::Ok)
}
