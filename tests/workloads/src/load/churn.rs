//! Files that come and go: under one name, or each under its own, or each in a
//! folder of its own.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use rustix::fs::{AtFlags, unlinkat};
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
                match &own {
                    Some(folder) if args.folders => come_and_go_in(folder)?,
                    own => come_and_go(own.as_deref().unwrap_or(&path), &content)?,
                }
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

/// Makes the folder and a file in it, and takes both away. The file is named
/// relative to the folder, as by rm -r.
fn come_and_go_in(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir(folder).with_context(|| format!("create {}", folder.display()))?;
    let opened = File::open(folder).with_context(|| format!("open {}", folder.display()))?;
    let file = folder.join("churn");
    File::create_new(&file).with_context(|| format!("create {}", file.display()))?;
    let unlinked = unlinkat(&opened, "churn", AtFlags::empty());
    unlinked.with_context(|| format!("unlink {}", file.display()))?;
    fs::remove_dir(folder).with_context(|| format!("remove {}", folder.display()))
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
