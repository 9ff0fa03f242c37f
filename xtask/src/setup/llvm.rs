//! The LLVM libraries that bpf-linker is built on.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::bpf::toolchain::{Compiler, DEBIAN_LLVM};
use crate::process;

/// Major versions that the pinned bpf-linker knows, newest first.
const SUPPORTED: [u32; 3] = [23, 22, 21];

/// An installed LLVM.
pub(crate) struct Llvm {
    /// Its folder.
    pub(crate) prefix: PathBuf,
    /// Its major version.
    pub(crate) major: u32,
}

/// An LLVM that can read what `compiler` writes: of its version or a later one.
pub(crate) fn find(compiler: Compiler) -> anyhow::Result<Llvm> {
    if compiler == Compiler::Debian {
        return Ok(Llvm { prefix: PathBuf::from(DEBIAN_LLVM), major: 22 });
    }
    let identity = compiler.identity()?;
    let needed = major(&identity.llvm)
        .with_context(|| format!("read rustc's LLVM version {:?}", identity.llvm))?;
    for version in SUPPORTED.into_iter().filter(|version| *version >= needed) {
        let debian = format!("/usr/lib/llvm-{version}/bin/llvm-config");
        for config in [debian, format!("llvm-config-{version}"), "llvm-config".to_owned()] {
            if let Some(llvm) = ask(Path::new(&config)).filter(|llvm| llvm.major == version) {
                return Ok(llvm);
            }
        }
    }
    bail!(
        "build bpf-linker: no LLVM {needed} with its headers is here; install LLVM's development \
         package, or put a released bpf-linker (https://github.com/aya-rs/bpf-linker/releases) in PATH"
    )
}

fn ask(config: &Path) -> Option<Llvm> {
    let version = process::stdout(Command::new(config).arg("--version")).ok()?;
    let prefix = process::stdout(Command::new(config).arg("--prefix")).ok()?;
    Some(Llvm { prefix: prefix.into(), major: major(&version)? })
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn major_of_a_version() {
        assert_eq!(major("22.1.8"), Some(22));
        assert_eq!(major("unknown"), None);
    }
}
