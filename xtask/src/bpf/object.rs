//! The objects that the binary embeds: the same programs for different kernels.

use std::path::PathBuf;

use crate::workspace::Workspace;

/// One of the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its file, where the binary embeds it from.
    pub(crate) file: &'static str,
    /// Cargo's features of the crate of the BPF programs.
    pub(super) features: &'static [&'static str],
}

/// All of them.
pub(crate) const OBJECTS: [Object; 2] = [
    Object { file: "genome-trace.bpf.o", features: &["bpf_loop"] },
    // For kernels before 5.17.
    Object { file: "genome-trace-unrolled.bpf.o", features: &[] },
];

impl Object {
    /// Where it is.
    pub(crate) fn path(self, workspace: &Workspace) -> PathBuf {
        workspace.embedded_objects().join(self.file)
    }
}
