//! One digest over everything of ours that the BPF object is built from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

/// Files and folders, relative to the clone, that decide the object's bytes.
const INPUTS: [&str; 6] = [
    "genome-trace-common/Cargo.toml",
    "genome-trace-common/src",
    "genome-trace-ebpf/.cargo",
    "genome-trace-ebpf/Cargo.lock",
    "genome-trace-ebpf/Cargo.toml",
    "genome-trace-ebpf/src",
];

/// Digest over the sorted relative paths and the contents.
pub(crate) fn source_sha256(root: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for input in INPUTS {
        list_files(root, Path::new(input), &mut files)?;
    }
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        let path = root.join(&file);
        let content = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        feed(&mut digest, file.as_os_str().as_encoded_bytes());
        feed(&mut digest, &content);
    }
    Ok(hex(&digest.finalize()))
}

/// Digest of some bytes.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lengths go in as well, so that no two trees run together into one.
fn feed(digest: &mut Sha256, bytes: &[u8]) {
    digest.update((bytes.len() as u64).to_le_bytes());
    digest.update(bytes);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An input that is not there is no file: whether it is needed is cargo's to say.
fn list_files(root: &Path, relative: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let path = root.join(relative);
    if path.is_file() {
        files.push(relative.to_path_buf());
        return Ok(());
    }
    if !path.is_dir() {
        return Ok(());
    }
    let entries = fs::read_dir(&path).with_context(|| format!("list {}", path.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("list {}", path.display()))?;
        list_files(root, &relative.join(entry.file_name()), files)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digest() {
        assert_eq!(
            sha256_hex(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn lengths_keep_neighbours_apart() {
        let digest = |parts: [&[u8]; 2]| {
            let mut digest = Sha256::new();
            parts.iter().for_each(|part| feed(&mut digest, part));
            digest.finalize()
        };
        assert_ne!(digest([b"ab", b"c"]), digest([b"a", b"bc"]));
    }
}
