//! Files of models: weights and adapters, by their names.

/// What a file is to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ModelFileKind {
    /// Weights, or a whole model.
    Weights,
    /// An adapter (LoRA) that is laid over one.
    Adapter,
}

impl ModelFileKind {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Adapter => "adapter",
        }
    }

    /// What a file of this path is, by its name; `None` where it is no model's.
    /// Two caches give their files no name that says anything, and are known by
    /// their folders: Ollama's (`blobs/sha256-…`), and that of the Hugging Face
    /// Hub (`models--…/blobs/…`, where links of other names lead to).
    #[must_use]
    pub fn of_path(path: &[u8]) -> Option<Self> {
        let mut parts = path.rsplit(|byte| *byte == b'/');
        let name = parts.next()?;
        if name.starts_with(b"adapter_model.") {
            return Some(Self::Adapter);
        }
        let is_weights = EXTENSIONS.iter().any(|of| name.len() > of.len() && name.ends_with(of));
        if is_weights {
            return Some(Self::Weights);
        }
        if parts.next() != Some(b"blobs") {
            return None;
        }
        let digest = name.strip_prefix(b"sha256-");
        let is_hub = parts.next().is_some_and(|folder| folder.starts_with(b"models--"));
        let is_digest = |name: &[u8]| name.len() >= 40 && name.iter().all(u8::is_ascii_hexdigit);
        (digest.is_some_and(is_digest) || is_hub && is_digest(name)).then_some(Self::Weights)
    }
}

const EXTENSIONS: [&[u8]; 6] = [b".safetensors", b".gguf", b".bin", b".pt", b".pth", b".onnx"];

/// A model's file that processes have open or in their memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFile {
    /// Its path as the process sees it.
    pub path: Box<[u8]>,
    /// What it is.
    pub kind: ModelFileKind,
    /// Its size; `None` where it is gone from that path and nobody has it open.
    pub size_bytes: Option<u64>,
    /// Some of it is mapped: its pages may be in memory.
    pub is_mapped: bool,
    /// It is open, to be read.
    pub is_open: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_known_by_their_names() {
        let of = |path: &str| ModelFileKind::of_path(path.as_bytes()).map(ModelFileKind::name);
        let digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for weights in [
            "/m/model-00001-of-00002.safetensors",
            "/m/q4.gguf",
            "/m/pytorch_model.bin",
            "/m/x.pt",
            "/m/x.pth",
            "/m/x.onnx",
            &format!("/root/.ollama/models/blobs/sha256-{digest}"),
            &format!("/hub/models--org--name/blobs/{digest}"),
        ] {
            assert_eq!(of(weights), Some("weights"), "{weights}");
        }
        assert_eq!(of("/lora/adapter_model.safetensors"), Some("adapter"));
        assert_eq!(of("/lora/adapter_model.bin"), Some("adapter"));
        for other in [
            "",
            "/usr/lib/libtorch.so",
            "/m/.gguf",
            "/m/x.gguf.part",
            &format!("/var/blobs/{digest}"),
            "/hub/models--org--name/blobs/readme",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
