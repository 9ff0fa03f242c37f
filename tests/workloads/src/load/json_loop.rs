//! The loop that nobody noticed: one JSON file after the other into one folder.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::cli::JsonLoop;
use crate::load::scratch::Folder;
use crate::sys::process;
use crate::sys::time::{SharedTime, monotonic_ns};

pub(crate) fn run(args: &JsonLoop) -> anyhow::Result<Value> {
    ensure!(args.mark <= args.count, "--mark {}: there are --count {}", args.mark, args.count);
    let folder = Folder::at(&args.dir, args.keep)?;
    let marked = SharedTime::new().context("share memory")?;
    let worker = process::fork(|| {
        for number in 0..args.count {
            write_one(folder.path(), args, number)?;
            if number + 1 == args.mark {
                marked.leave(monotonic_ns());
            }
        }
        Ok(0)
    })
    .context("fork a worker")?;
    let ended = worker.finish()?;
    let bytes: u64 = (0..args.count).map(|number| text(args, number).len() as u64).sum();
    Ok(json!({
        "dir": folder.path(),
        "files_created": args.count,
        "written_bytes": bytes,
        "marked_ns": marked.nanos(),
        "workers": [{ "pid": ended.pid, "wait": ended.json() }],
    }))
}

fn text(args: &JsonLoop, number: u64) -> String {
    let step = if args.equal { 0 } else { number };
    format!("{{\"step\": {step}, \"answer\": \"{}\"}}\n", ".".repeat(64))
}

fn write_one(folder: &Path, args: &JsonLoop, number: u64) -> anyhow::Result<()> {
    let folder = if args.folders { folder.join(format!("{number:06}")) } else { folder.to_owned() };
    if args.folders {
        fs::create_dir(&folder).with_context(|| format!("make folder {}", folder.display()))?;
    }
    let path = folder.join(format!("answer-{number:06}.json"));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .with_context(|| format!("create {}", path.display()))?;
    let text = text(args, number);
    let written = file.write(text.as_bytes()).context("write")?;
    ensure!(written == text.len(), "a write took {written} bytes");
    Ok(())
}
