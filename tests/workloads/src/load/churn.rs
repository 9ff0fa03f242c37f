//! Files that come and go: under one name, or each under its own.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::cli::Churn;
use crate::load::pace::Pace;
use crate::load::scratch::Folder;
use crate::sys::process;

pub(crate) fn run(args: &Churn) -> anyhow::Result<Value> {
    let folder = Folder::at(&args.dir, false)?;
    let path = folder.path().join("churn");
    let content = vec![b'.'; args.bytes];
    let worker = process::fork(|| {
        let mut pace = Pace::begin(args.count, args.rate);
        let mut done = 0;
        while done < args.count {
            let due = pace.due();
            while done < due {
                let own = args.names.then(|| folder.path().join(format!("churn-{done}")));
                come_and_go(own.as_deref().unwrap_or(&path), &content)?;
                done += 1;
            }
            pace.rest();
        }
        Ok(0)
    })
    .context("fork a worker")?;
    let ended = worker.finish()?;
    Ok(json!({
        "path": path,
        "files_created": args.count,
        "unlink_calls": args.count,
        "workers": [{ "pid": ended.pid, "wait": ended.json() }],
    }))
}

fn come_and_go(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .with_context(|| format!("create {}", path.display()))?;
    if !content.is_empty() {
        let written = file.write(content).context("write")?;
        ensure!(written == content.len(), "a write took {written} bytes");
    }
    drop(file);
    fs::remove_file(path).with_context(|| format!("unlink {}", path.display()))
}
