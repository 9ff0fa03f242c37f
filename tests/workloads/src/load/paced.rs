//! Files created and processes ended at a leisurely pace, each with the time
//! it happened at: how long a tracer takes to tell.

use std::fs::{self, File};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::cli::Paced;
use crate::load::scratch::Folder;
use crate::sys::process;
use crate::sys::time::{SharedTime, monotonic_ns};

pub(crate) fn run(args: &Paced) -> anyhow::Result<Value> {
    let folder = Folder::at(&args.dir, false)?;
    let interval = Duration::from_millis(args.interval_ms);
    let (mut created, mut exited) = (Vec::new(), Vec::new());
    for index in 0..args.count {
        let path = folder.path().join(format!("p-{index}"));
        let at_ns = monotonic_ns();
        File::create_new(&path).with_context(|| format!("create {}", path.display()))?;
        created.push(json!({ "path": path, "at_ns": at_ns }));
        fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;

        let at = SharedTime::new().context("share memory")?;
        let child = process::fork(|| {
            at.leave(monotonic_ns());
            Ok(0)
        })
        .context("fork a child")?;
        let ended = child.wait().context("wait for a child")?;
        ensure!(ended.code() == Some(0), "a child ended otherwise: {}", ended.json());
        exited.push(json!({ "pid": ended.pid, "at_ns": at.nanos() }));
        // The pace is the work: nothing is waited for.
        thread::sleep(interval);
    }
    Ok(json!({ "dir": folder.path(), "created": created, "exited": exited }))
}
