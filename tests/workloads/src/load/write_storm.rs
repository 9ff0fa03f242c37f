//! Writing to one file very often, by one system call of choice.

use std::fs::OpenOptions;
use std::path::Path;

use anyhow::Context as _;
use clap::ValueEnum as _;
use serde_json::{Value, json};

use crate::cli::WriteStorm;
use crate::load::scratch;
use crate::load::write_calls::Supply;
use crate::sys::process;
use crate::sys::time::SharedTime;

pub(crate) fn run(args: &WriteStorm) -> anyhow::Result<Value> {
    let path = scratch::empty_file(&args.path)?;
    let told = storm(args, &path);
    scratch::remove_file(&path, args.keep)?;
    told
}

fn storm(args: &WriteStorm, path: &Path) -> anyhow::Result<Value> {
    let supply = Supply::prepare(args, path)?;
    let time = SharedTime::new().context("share memory")?;
    let worker = process::fork(|| {
        let file = OpenOptions::new()
            .write(true)
            .open(path)
            .with_context(|| format!("open {}", path.display()))?;
        time.measure(|| supply.write_all(&file, args))?;
        Ok(0)
    })
    .context("fork a worker")?;
    let ended = worker.finish()?;
    Ok(json!({
        "path": path,
        "call": args.call.to_possible_value().map(|call| call.get_name().to_owned()),
        "write_calls": args.count,
        "written_bytes": args.count * u64::from(args.bytes),
        "elapsed_ns": time.nanos(),
        "workers": [{ "pid": ended.pid, "wait": ended.json() }],
    }))
}
