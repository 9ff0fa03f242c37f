//! What the embedded objects were built from, and with: `manifest.json`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::build::Built;
use super::source_digest::{sha256_hex, source_sha256};
use crate::workspace::Workspace;

/// The embedded objects' papers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Digest of the sources.
    pub(crate) source_sha256: String,
    /// Digests of the objects, by file.
    pub(crate) objects_sha256: BTreeMap<String, String>,
    /// What built them.
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
    /// Describes objects just built from the clone's sources.
    pub(crate) fn new(
        workspace: &Workspace,
        toolchain: &ToolchainIdentity,
        objects: &[Built],
    ) -> anyhow::Result<Self> {
        Ok(Self {
            source_sha256: source_sha256(workspace.root())?,
            objects_sha256: digests(objects),
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

    /// Why the embedded objects are not those that this manifest and these
    /// sources call for; `None` where they are.
    pub(crate) fn mismatch(&self, source_sha256: &str, objects: &[Built]) -> Option<String> {
        if self.source_sha256 != source_sha256 {
            return Some(
                "the BPF sources have changed since the embedded objects were built; \
                 run `cargo xtask build-ebpf`"
                    .to_owned(),
            );
        }
        self.other_objects(objects).map(|difference| {
            format!("the embedded objects: {difference}; run `cargo xtask build-ebpf`")
        })
    }

    /// How those objects differ from the ones described.
    pub(crate) fn other_objects(&self, objects: &[Built]) -> Option<String> {
        let digests = digests(objects);
        if digests.keys().ne(self.objects_sha256.keys()) {
            return Some(format!(
                "there are {:?}, the manifest has {:?}",
                digests.keys(),
                self.objects_sha256.keys()
            ));
        }
        let mut both = digests.iter().zip(self.objects_sha256.values());
        both.find(|((_, digest), described)| digest != described).map(
            |((file, digest), described)| {
                format!("{file} has sha256 {digest}, its manifest says {described}")
            },
        )
    }
}

fn digests(objects: &[Built]) -> BTreeMap<String, String> {
    objects.iter().map(|(object, bytes)| (object.file.to_owned(), sha256_hex(bytes))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bpf::object::OBJECTS;

    fn objects(bytes: &[u8]) -> Vec<Built> {
        OBJECTS.into_iter().map(|object| (object, bytes.to_vec())).collect()
    }

    fn manifest() -> Manifest {
        Manifest {
            source_sha256: "aa".to_owned(),
            objects_sha256: digests(&objects(b"object")),
            toolchain: ToolchainIdentity {
                rustc: "rustc 1.96.0".to_owned(),
                bpf_linker: "bpf-linker 0.13.0".to_owned(),
                llvm: "22.1.8".to_owned(),
            },
        }
    }

    #[test]
    fn matches_its_own_sources_and_objects() {
        assert_eq!(manifest().mismatch("aa", &objects(b"object")), None);
    }

    #[test]
    fn changed_sources_are_told() {
        let reason = manifest().mismatch("bb", &objects(b"object")).unwrap_or_default();
        assert!(reason.contains("sources have changed"), "{reason}");
    }

    #[test]
    fn changed_object_is_told() {
        let reason = manifest().mismatch("aa", &objects(b"other")).unwrap_or_default();
        assert!(reason.contains("its manifest says"), "{reason}");
    }

    #[test]
    fn missing_object_is_told() {
        let reason = manifest().mismatch("aa", &objects(b"object")[1..]).unwrap_or_default();
        assert!(reason.contains("the manifest has"), "{reason}");
    }

    #[test]
    fn json_has_the_documented_fields() -> Result<(), serde_json::Error> {
        let json = serde_json::to_value(manifest())?;
        assert_eq!(json.pointer("/toolchain/llvm"), Some(&"22.1.8".into()));
        assert_eq!(serde_json::from_value::<Manifest>(json)?, manifest());
        Ok(())
    }
}
