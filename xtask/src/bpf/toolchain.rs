//! Finds a compiler and a linker for BPF: Debian's packages first, because
//! their `core` is ready-made, else a rustup nightly that builds `core` itself.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::manifest::ToolchainIdentity;
use crate::process;
use crate::workspace::Workspace;

/// The version that `setup` installs; another one generates other bytes.
pub(crate) const BPF_LINKER_VERSION: &str = "0.13.0";

/// Debian's rustc and cargo: rustup's shadow them in `PATH`.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
/// Debian's LLVM, the one that its rustc links too.
pub(crate) const DEBIAN_LLVM: &str = "/usr/lib/llvm-22";

/// Everything that a build of the BPF object needs.
pub(crate) struct Toolchain {
    /// Which compiler.
    pub(crate) compiler: Compiler,
    /// Where bpf-linker is.
    pub(crate) linker: PathBuf,
    /// LLVM's strip, which unlike binutils' knows BPF.
    pub(crate) strip: PathBuf,
    /// Its versions, for the manifest.
    pub(crate) identity: ToolchainIdentity,
}

/// A compiler that knows the BPF target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Compiler {
    /// rustc-web, cargo-web and libstd-rust-web-dev-bpf.
    Debian,
    /// rustup's nightly with rust-src.
    Nightly,
}

impl Compiler {
    /// The compiler of this machine, if it has one.
    pub(crate) fn find() -> Option<Self> {
        if debian_has_bpf_core() {
            Some(Self::Debian)
        } else if nightly_has_rust_src() {
            Some(Self::Nightly)
        } else {
            None
        }
    }

    /// `cargo` of this compiler, deaf to whatever the environment asks of
    /// other builds.
    pub(crate) fn cargo(self) -> Command {
        let mut command = match self {
            Self::Debian => Command::new(DEBIAN_CARGO),
            Self::Nightly => {
                let mut command = Command::new("rustup");
                command.args(["run", "nightly", "cargo"]);
                command
            }
        };
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(changes_the_build) {
                command.env_remove(&name);
            }
        }
        if self == Self::Debian {
            // Its `core` for BPF is for unstable features alone.
            command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
        }
        command
    }

    fn rustc(self) -> Command {
        match self {
            Self::Debian => Command::new(DEBIAN_RUSTC),
            Self::Nightly => nightly_rustc(),
        }
    }

    /// Folder of this compiler and its libraries.
    pub(crate) fn sysroot(self) -> anyhow::Result<PathBuf> {
        process::stdout(self.rustc().args(["--print", "sysroot"])).map(PathBuf::from)
    }

    /// LLVM's strip, if it is there.
    pub(crate) fn find_strip(self) -> anyhow::Result<Option<PathBuf>> {
        let folder = match self {
            Self::Debian => Path::new(DEBIAN_LLVM).join("bin"),
            // The component llvm-tools.
            Self::Nightly => {
                let libraries =
                    process::stdout(nightly_rustc().args(["--print", "target-libdir"]))?;
                Path::new(&libraries).with_file_name("bin")
            }
        };
        let strip = folder.join("llvm-strip");
        Ok(process::is_executable(&strip).then_some(strip))
    }

    /// Its versions.
    pub(crate) fn identity(self) -> anyhow::Result<CompilerIdentity> {
        let verbose = process::stdout(self.rustc().arg("-vV"))?;
        let llvm = verbose
            .lines()
            .find_map(|line| line.strip_prefix("LLVM version: "))
            .context("`rustc -vV` names no LLVM version")?;
        Ok(CompilerIdentity {
            rustc: verbose.lines().next().unwrap_or_default().to_owned(),
            llvm: llvm.to_owned(),
        })
    }
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Debian => "Debian's rustc-web",
            Self::Nightly => "rustup's nightly",
        })
    }
}

/// Versions of a compiler.
pub(crate) struct CompilerIdentity {
    /// First line of `rustc -vV`.
    pub(crate) rustc: String,
    /// The LLVM that it emits bitcode with.
    pub(crate) llvm: String,
}

impl Toolchain {
    /// Looks for a compiler and a linker.
    pub(crate) fn find(workspace: &Workspace) -> anyhow::Result<Self> {
        let Some(compiler) = Compiler::find() else {
            bail!(
                "find a compiler for BPF: neither Debian's rustc-web with \
                 libstd-rust-web-dev-bpf nor a rustup nightly with rust-src is here; \
                 run `cargo xtask setup`"
            );
        };
        let Some(linker) = find_linker(workspace) else {
            bail!("find bpf-linker {BPF_LINKER_VERSION}; run `cargo xtask setup`");
        };
        let Some(strip) = compiler.find_strip()? else {
            bail!("find LLVM's strip; run `cargo xtask setup`");
        };
        let CompilerIdentity { rustc, llvm } = compiler.identity()?;
        let bpf_linker = process::stdout(Command::new(&linker).arg("--version"))?;
        let identity = ToolchainIdentity { rustc, bpf_linker, llvm };
        Ok(Self { compiler, linker, strip, identity })
    }
}

/// The pinned bpf-linker: ours, or one in `PATH`.
pub(crate) fn find_linker(workspace: &Workspace) -> Option<PathBuf> {
    let ours = workspace.tools().join("bin/bpf-linker");
    [Some(ours), process::find("bpf-linker")].into_iter().flatten().find(|linker| {
        process::stdout(Command::new(linker).arg("--version"))
            .is_ok_and(|version| version == format!("bpf-linker {BPF_LINKER_VERSION}"))
    })
}

fn debian_has_bpf_core() -> bool {
    process::is_executable(Path::new(DEBIAN_CARGO))
        && process::stdout(Command::new(DEBIAN_RUSTC).args([
            "--print",
            "target-libdir",
            "--target",
            "bpfel-unknown-none",
        ]))
        .is_ok_and(|folder| Path::new(&folder).is_dir())
}

fn nightly_has_rust_src() -> bool {
    process::stdout(nightly_rustc().args(["--print", "sysroot"]))
        .is_ok_and(|sysroot| Path::new(&sysroot).join("lib/rustlib/src/rust/library/core").is_dir())
}

fn nightly_rustc() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "rustc"]);
    command
}

/// Variables of the environment by which one build differs from another.
/// Where crates come from (`CARGO_HOME`, `CARGO_NET_…`, …) is not among them.
fn changes_the_build(name: &str) -> bool {
    const PREFIXES: [&str; 8] = [
        "CARGO_BUILD_",
        "CARGO_CFG_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_",
        "CARGO_UNSTABLE_",
        "RUSTC_",
    ];
    const NAMES: [&str; 8] = [
        "CARGO",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_INCREMENTAL",
        // cargo run sets it for the program that it runs.
        "LD_LIBRARY_PATH",
        "RUSTC",
        "RUSTFLAGS",
        "RUSTUP_TOOLCHAIN",
        "SOURCE_DATE_EPOCH",
    ];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::changes_the_build;

    #[test]
    fn flags_are_dropped_and_registries_kept() {
        for dropped in
            ["RUSTFLAGS", "RUSTC_WRAPPER", "CARGO_PROFILE_RELEASE_LTO", "RUSTUP_TOOLCHAIN"]
        {
            assert!(changes_the_build(dropped), "{dropped}");
        }
        for kept in
            ["CARGO_HOME", "CARGO_NET_OFFLINE", "CARGO_REGISTRIES_X_INDEX", "RUSTUP_HOME", "PATH"]
        {
            assert!(!changes_the_build(kept), "{kept}");
        }
    }
}
