//! What the embedded object was built from, and with: `manifest.json`.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::source_digest::{sha256_hex, source_sha256};
use crate::workspace::Workspace;

/// The embedded object's papers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Digest of the sources.
    pub(crate) source_sha256: String,
    /// Digest of the object.
    pub(crate) object_sha256: String,
    /// What built it.
    pub(crate) toolchain: ToolchainIdentity,
}

/// The versions that decide which bytes come out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToolchainIdentity {
    /// The compiler's.
    pub(crate) rustc: String,
    /// The linker's.
    pub(crate) bpf_linker: String,
    /// That of the compiler's LLVM.
    pub(crate) llvm: String,
}

impl fmt::Display for ToolchainIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (LLVM {}) with {}", self.rustc, self.llvm, self.bpf_linker)
    }
}

impl Manifest {
    /// Describes an object just built from the clone's sources.
    pub(crate) fn new(
        workspace: &Workspace,
        toolchain: &ToolchainIdentity,
        object: &[u8],
    ) -> anyhow::Result<Self> {
        Ok(Self {
            source_sha256: source_sha256(workspace.root())?,
            object_sha256: sha256_hex(object),
            toolchain: toolchain.clone(),
        })
    }

    /// Reads a manifest.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| {
            format!("read {}; make it by `cargo xtask build-ebpf`", path.display())
        })?;
        serde_json::from_str(&text).with_context(|| {
            format!("parse {}; make it anew by `cargo xtask build-ebpf`", path.display())
        })
    }

    /// Writes a manifest.
    pub(crate) fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self).context("format the manifest")?;
        text.push('\n');
        fs::write(path, text).with_context(|| format!("write {}", path.display()))
    }

    /// Why the embedded object is not the one that this manifest and these
    /// sources call for; `None` where it is.
    pub(crate) fn mismatch(&self, source_sha256: &str, object: &[u8]) -> Option<String> {
        if self.source_sha256 != source_sha256 {
            return Some(
                "the BPF sources have changed since the embedded object was built; \
                 run `cargo xtask build-ebpf`"
                    .to_owned(),
            );
        }
        let object_sha256 = sha256_hex(object);
        if self.object_sha256 != object_sha256 {
            return Some(format!(
                "the embedded object has sha256 {object_sha256}, its manifest says {}; \
                 run `cargo xtask build-ebpf`",
                self.object_sha256
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            source_sha256: "aa".to_owned(),
            object_sha256: sha256_hex(b"object"),
            toolchain: ToolchainIdentity {
                rustc: "rustc 1.96.0".to_owned(),
                bpf_linker: "bpf-linker 0.13.0".to_owned(),
                llvm: "22.1.8".to_owned(),
            },
        }
    }

    #[test]
    fn matches_its_own_sources_and_object() {
        assert_eq!(manifest().mismatch("aa", b"object"), None);
    }

    #[test]
    fn changed_sources_are_told() {
        let reason = manifest().mismatch("bb", b"object").unwrap_or_default();
        assert!(reason.contains("sources have changed"), "{reason}");
    }

    #[test]
    fn changed_object_is_told() {
        let reason = manifest().mismatch("aa", b"other").unwrap_or_default();
        assert!(reason.contains("its manifest says"), "{reason}");
    }

    #[test]
    fn json_has_the_documented_fields() -> Result<(), serde_json::Error> {
        let json = serde_json::to_value(manifest())?;
        assert_eq!(json.pointer("/toolchain/llvm"), Some(&"22.1.8".into()));
        assert_eq!(serde_json::from_value::<Manifest>(json)?, manifest());
        Ok(())
    }
}
