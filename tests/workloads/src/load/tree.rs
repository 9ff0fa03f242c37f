//! A tree of processes.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::cli::Tree;
use crate::load::scratch::Folder;
use crate::sys::process;
use crate::sys::shared::SharedTable;

/// More processes than a test needs and a machine minds.
const MOST_NODES: usize = 10_000;

/// A process' place: the children of node `n` are `n * width + 1` and on.
struct Place<'a> {
    node: usize,
    generations_below: u32,
    width: usize,
    pids: &'a SharedTable,
    dir: Option<&'a Path>,
}

pub(crate) fn run(args: &Tree) -> anyhow::Result<Value> {
    let width = usize::try_from(args.width)?;
    let nodes = nodes(args.depth, width)
        .filter(|nodes| *nodes <= MOST_NODES)
        .with_context(|| format!("a tree has at most {MOST_NODES} processes"))?;
    let folder = args.dir.as_deref().map(|dir| Folder::at(dir, args.keep)).transpose()?;
    let pids = SharedTable::new(nodes).context("share memory")?;
    let root = Place {
        node: 0,
        generations_below: args.depth,
        width,
        pids: &pids,
        dir: folder.as_ref().map(Folder::path),
    };
    process::fork(|| root.grow()).context("fork the root")?.finish()?;
    let pids: Vec<u32> = pids.slots().iter().map(|pid| pid.load(SeqCst)).collect();
    ensure!(!pids.contains(&0), "a process of the tree did not report");
    if let (Some(folder), false) = (&folder, args.keep) {
        remove_files(folder.path(), nodes)?;
    }
    Ok(json!({
        "root": pids.first(),
        "pids": pids,
        "files_created": if folder.is_some() { nodes } else { 0 },
        "dir": folder.as_ref().map(Folder::path),
    }))
}

fn nodes(depth: u32, width: usize) -> Option<usize> {
    (0..=depth).try_fold(0_usize, |sum, generation| sum.checked_add(width.checked_pow(generation)?))
}

fn remove_files(dir: &Path, nodes: usize) -> anyhow::Result<()> {
    for node in 0..nodes {
        std::fs::remove_file(dir.join(format!("node-{node}")))
            .with_context(|| format!("remove node {node}'s file"))?;
    }
    Ok(())
}

impl Place<'_> {
    /// Reports, forks the children, and waits for them.
    fn grow(&self) -> anyhow::Result<u8> {
        if let Some(slot) = self.pids.slots().get(self.node) {
            slot.store(std::process::id(), SeqCst);
        }
        if let Some(dir) = self.dir {
            let path = dir.join(format!("node-{}", self.node));
            File::create_new(&path).with_context(|| format!("create {}", path.display()))?;
        }
        if self.generations_below == 0 {
            return Ok(0);
        }
        let children = (0..self.width)
            .map(|index| process::fork(|| self.child(index).grow()))
            .collect::<Result<Vec<_>, _>>()
            .context("fork a child")?;
        for child in children {
            child.finish()?;
        }
        Ok(0)
    }

    fn child(&self, index: usize) -> Place<'_> {
        Place {
            node: self.node * self.width + 1 + index,
            generations_below: self.generations_below - 1,
            ..*self
        }
    }
}
