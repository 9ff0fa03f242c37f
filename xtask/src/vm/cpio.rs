//! Writes cpio archives in the format that the kernel unpacks at boot ("newc").

use anyhow::Context as _;

const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_755;
const LINK: u32 = 0o120_777;

/// An archive under construction. Parents must be added before what is in them.
#[derive(Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    /// Adds a folder.
    pub(crate) fn folder(&mut self, path: &str) -> anyhow::Result<()> {
        self.entry(path, FOLDER, &[])
    }

    /// Adds a file that everybody may execute.
    pub(crate) fn file(&mut self, path: &str, content: &[u8]) -> anyhow::Result<()> {
        self.entry(path, FILE, content)
    }

    /// Adds a symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) -> anyhow::Result<()> {
        self.entry(path, LINK, target.as_bytes())
    }

    /// The finished archive.
    pub(crate) fn finish(mut self) -> anyhow::Result<Vec<u8>> {
        self.entry("TRAILER!!!", 0, &[])?;
        Ok(self.bytes)
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) -> anyhow::Result<()> {
        let path = path.trim_start_matches('/');
        let size = u32::try_from(content.len())
            .with_context(|| format!("pack /{path}: {} bytes are too many", content.len()))?;
        let name_size = u32::try_from(path.len() + 1)
            .with_context(|| format!("pack /{path}: the name is too long"))?;
        self.entries += 1;
        self.bytes.extend_from_slice(b"070701");
        let (uid, gid, links, mtime) = (0, 0, 1, 0);
        let (device, rdevice, checksum) = ([0, 0], [0, 0], 0);
        for field in [self.entries, mode, uid, gid, links, mtime, size]
            .into_iter()
            .chain(device)
            .chain(rdevice)
            .chain([name_size, checksum])
        {
            self.bytes.extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
        Ok(())
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_small_archive() -> anyhow::Result<()> {
        let mut archive = Archive::default();
        archive.file("/a", b"hello")?;
        let expected = [
            "070701",
            "00000001", // inode
            "000081ED", // mode
            "00000000",
            "00000000",
            "00000001", // links
            "00000000",
            "00000005", // size
            "00000000",
            "00000000",
            "00000000",
            "00000000",
            "00000002", // name with its NUL
            "00000000",
            "a\0",
            "hello\0\0\0",
        ]
        .concat();
        let bytes = archive.finish()?;
        assert_eq!(String::from_utf8_lossy(&bytes).get(..expected.len()), Some(expected.as_str()));
        assert_eq!(bytes.len() % 4, 0);
        assert!(String::from_utf8_lossy(&bytes).contains("TRAILER!!!"));
        Ok(())
    }
}
