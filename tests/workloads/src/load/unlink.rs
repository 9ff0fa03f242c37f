//! Unlinking many files; another process made them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::Unlink;
use crate::load::scratch::Folder;
use crate::sys::process;

pub(crate) fn run(args: &Unlink) -> anyhow::Result<Value> {
    let folder = Folder::at(&args.dir, false)?;
    let dir = folder.path();
    for index in 0..args.count {
        let path = file(dir, index);
        File::create_new(&path).with_context(|| format!("create {}", path.display()))?;
    }
    let worker = process::fork(|| {
        for index in 0..args.count {
            let path = file(dir, index);
            fs::remove_file(&path).with_context(|| format!("unlink {}", path.display()))?;
        }
        Ok(0)
    })
    .context("fork a worker")?;
    let ended = worker.finish()?;
    Ok(json!({
        "dir": dir,
        "unlink_calls": args.count,
        "workers": [{ "pid": ended.pid, "wait": ended.json() }],
    }))
}

fn file(dir: &Path, index: u64) -> PathBuf {
    dir.join(format!("u-{index}"))
}
