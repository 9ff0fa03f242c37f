//! The virtual machine's whole file system: busybox, our programs, their
//! libraries, and an init that runs one command.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::cpio::Archive;
use crate::libraries;
use crate::process;

/// Process 1.
const INIT: &str = include_str!("init.sh");

/// What goes in besides busybox.
pub(crate) struct Contents {
    /// Programs, under the name that they get in /bin.
    pub(crate) programs: Vec<(&'static str, PathBuf)>,
    /// What to run, for the shell.
    pub(crate) command: String,
}

/// Packs the archive.
pub(crate) fn build(contents: &Contents) -> anyhow::Result<Vec<u8>> {
    let Some(busybox) = process::find("busybox") else {
        bail!("find busybox; run `cargo xtask setup --vm`");
    };
    if !libraries::of(&busybox)?.is_empty() {
        bail!("use {}: it is not a static one; run `cargo xtask setup --vm`", busybox.display());
    }
    let mut tree = Tree::default();
    for folder in
        ["/dev", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp", "/usr/bin", "/var/tmp"]
    {
        tree.folder(folder)?;
    }
    tree.file("/init", INIT.as_bytes())?;
    tree.file("/command", contents.command.as_bytes())?;
    tree.file("/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")?;
    tree.file("/etc/group", b"root:x:0:\nnogroup:x:65534:\n")?;
    tree.file("/etc/hosts", b"127.0.0.1 localhost\n")?;
    tree.copy("/bin/busybox", &busybox)?;
    for applet in process::stdout(Command::new(&busybox).arg("--list"))?.lines() {
        if applet != "busybox" {
            tree.archive.link(&format!("/bin/{applet}"), "busybox")?;
        }
    }
    for (name, program) in &contents.programs {
        tree.copy(&format!("/bin/{name}"), program)?;
        for library in libraries::of(program)? {
            tree.copy(&library.to_string_lossy(), &library)?;
        }
    }
    tree.archive.finish()
}

/// An archive that holds each path once, and every folder before its files.
#[derive(Default)]
struct Tree {
    archive: Archive,
    have: BTreeSet<String>,
}

impl Tree {
    fn folder(&mut self, path: &str) -> anyhow::Result<()> {
        if path.is_empty() || !self.have.insert(path.to_owned()) {
            return Ok(());
        }
        self.parent(path)?;
        self.archive.folder(path)
    }

    fn file(&mut self, path: &str, content: &[u8]) -> anyhow::Result<()> {
        if !self.have.insert(path.to_owned()) {
            return Ok(());
        }
        self.parent(path)?;
        self.archive.file(path, content)
    }

    fn copy(&mut self, path: &str, from: &Path) -> anyhow::Result<()> {
        if self.have.contains(path) {
            return Ok(());
        }
        let content = fs::read(from).with_context(|| format!("read {}", from.display()))?;
        self.file(path, &content)
    }

    fn parent(&mut self, path: &str) -> anyhow::Result<()> {
        match path.rsplit_once('/') {
            Some((parent, _)) => self.folder(parent),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_first_and_once() -> anyhow::Result<()> {
        let mut tree = Tree::default();
        tree.file("/lib/deep/one", b"")?;
        tree.file("/lib/deep/two", b"")?;
        tree.file("/lib/deep/two", b"again")?;
        let archive = tree.archive.finish()?;
        let text = String::from_utf8_lossy(&archive).into_owned();
        let names: Vec<&str> =
            text.split('\0').filter_map(|part| part.get(part.find("070701")? + 110..)).collect();
        assert_eq!(names, ["lib", "lib/deep", "lib/deep/one", "lib/deep/two", "TRAILER!!!"]);
        Ok(())
    }
}
