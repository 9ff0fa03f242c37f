//! A write to a file that no folder holds.

use std::fs::File;
use std::io::Write as _;

use anyhow::{Context as _, ensure};
use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::{Value, json};

use crate::cli::Memfd;
use crate::sys::process;

pub(crate) fn run(args: &Memfd) -> anyhow::Result<Value> {
    let worker = process::fork(|| {
        let file = memfd_create(args.name.as_str(), MemfdFlags::CLOEXEC);
        let written = File::from(file.context("make a memory file")?)
            .write(&vec![b'.'; args.bytes])
            .context("write to the memory file")?;
        ensure!(written == args.bytes, "a write took {written} bytes");
        Ok(0)
    })
    .context("fork a worker")?;
    let ended = worker.finish()?;
    Ok(json!({
        "path": format!("/memfd:{}", args.name),
        "write_calls": 1,
        "written_bytes": args.bytes,
        "workers": [{ "pid": ended.pid, "wait": ended.json() }],
    }))
}
