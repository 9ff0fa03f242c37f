//! `setup`: installs what the build of the BPF object and the tests need, and
//! only what is missing.

mod bpf_linker;
mod llvm;
mod packages;
mod rustup;

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::bpf::toolchain::{self, Compiler};
use crate::process;
use crate::workspace::Workspace;
use packages::Packages;

/// Debian's Rust with a ready-made `core` for BPF, and the LLVM that it uses.
const BPF_PACKAGES: [&str; 4] =
    ["rustc-web", "cargo-web", "libstd-rust-web-dev-bpf", "llvm-22-dev"];
/// What virtual machines are made of.
const VM_PACKAGES: [&str; 2] = ["qemu-system-x86", "busybox-static"];

/// What genome-trace is measured against.
const PEER_PACKAGES: [&str; 7] =
    ["bpftrace", "libbpf-tools", "linux-perf", "trace-cmd", "strace", "python3-psutil", "sqlite3"];

/// Prometheus and promtool, which metrics, rules and queries are tried on.
const PROMETHEUS_PACKAGE: &str = "prometheus";

/// Makes this machine ready to build, and with `vm` to test on other kernels.
pub(crate) fn setup(workspace: &Workspace, vm: bool) -> anyhow::Result<()> {
    let mut packages = Packages::default();
    rustup::install_components()?;
    compiler(&mut packages)?;
    linker(workspace)?;
    if vm {
        virtual_machines(&mut packages)?;
    }
    Ok(())
}

/// Installs the tracers that genome-trace is compared with, those that apt has;
/// the benchmark names what is missing.
pub(crate) fn install_peers() -> anyhow::Result<()> {
    let mut packages = Packages::default();
    for name in PEER_PACKAGES {
        if packages.available(&[name])? {
            packages.install(&[name])?;
        } else {
            say(&format!("go on without {name}: apt does not have it here"));
        }
    }
    Ok(())
}

/// Fetches other people's test suites that genome-trace is measured with, those
/// whose runtime is here.
pub(crate) fn fetch_suites(workspace: &Workspace) -> anyhow::Result<()> {
    let script = workspace.root().join("tests/suites/fetch.sh");
    process::run(Command::new("bash").arg(script).arg(workspace.suites()))
}

/// Installs Prometheus, where apt has it; without one the tests that ask it are
/// skipped.
pub(crate) fn install_prometheus() -> anyhow::Result<()> {
    let mut packages = Packages::default();
    if packages.available(&[PROMETHEUS_PACKAGE])? {
        packages.install(&[PROMETHEUS_PACKAGE])
    } else {
        say("go on without prometheus: apt does not have it here");
        Ok(())
    }
}

fn compiler(packages: &mut Packages) -> anyhow::Result<()> {
    let ready = Compiler::find()
        .map(|compiler| anyhow::Ok((compiler, compiler.find_strip()?.is_some())))
        .transpose()?;
    match ready {
        Some((compiler, true)) => say(&format!("ok: compiler for BPF: {compiler}")),
        Some((Compiler::Nightly, false)) => rustup::install_nightly()?,
        Some((Compiler::Debian, false)) => packages.install(&BPF_PACKAGES)?,
        None if packages.available(&BPF_PACKAGES)? => packages.install(&BPF_PACKAGES)?,
        None => rustup::install_nightly()?,
    }
    Ok(())
}

fn linker(workspace: &Workspace) -> anyhow::Result<()> {
    match toolchain::find_linker(workspace) {
        Some(linker) => {
            say(&format!("ok: bpf-linker: {}", linker.display()));
            Ok(())
        }
        None => bpf_linker::install(workspace),
    }
}

fn virtual_machines(packages: &mut Packages) -> anyhow::Result<()> {
    let qemu = process::find("qemu-system-x86_64");
    // A busybox with libraries is of no use there, so the package decides.
    let busybox = process::find("busybox").filter(|path| is_static(path));
    if let (Some(qemu), Some(busybox)) = (&qemu, &busybox) {
        say(&format!("ok: qemu: {}", qemu.display()));
        say(&format!("ok: static busybox: {}", busybox.display()));
        return Ok(());
    }
    if !packages.available(&VM_PACKAGES)? {
        bail!(
            "install qemu-system-x86_64 and a static busybox: apt has neither here; \
             install them by this distribution's own means"
        );
    }
    packages.install(&VM_PACKAGES)
}

fn is_static(program: &Path) -> bool {
    crate::libraries::of(program).is_ok_and(|libraries| libraries.is_empty())
}

fn say(line: &str) {
    eprintln!("setup: {line}");
}
