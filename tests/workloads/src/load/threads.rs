//! Many threads of one process, and perhaps a child, that write to one file.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::cli::Threads;
use crate::load::scratch;
use crate::sys::process;
use crate::sys::shared::SharedTable;

pub(crate) fn run(args: &Threads) -> anyhow::Result<Value> {
    let path = scratch::empty_file(&args.path)?;
    let file = OpenOptions::new()
        .append(true)
        .open(&path)
        .with_context(|| format!("open {}", path.display()))?;
    let child = SharedTable::new(1).context("share memory")?;
    let worker = process::fork(|| write_from_all(&file, args, &child)).context("fork a worker")?;
    let ended = worker.finish();
    scratch::remove_file(&path, args.keep)?;
    let ended = ended?;
    let calls = args.leader_writes + u64::from(args.count) * args.writes;
    let child = child.slots().first().map(|pid| pid.load(SeqCst)).filter(|pid| *pid != 0);
    Ok(json!({
        "path": path,
        "threads": args.count,
        "write_calls": calls,
        "written_bytes": calls * args.bytes as u64,
        "child": child,
        "workers": [{ "pid": ended.pid, "wait": ended.json() }],
    }))
}

fn write_from_all(file: &File, args: &Threads, pid: &SharedTable) -> anyhow::Result<u8> {
    let content = vec![b'.'; args.bytes];
    let before = args.leader_writes / 2;
    write_often(file, &content, before)?;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..args.count)
            .map(|_| scope.spawn(|| write_often(file, &content, args.writes)))
            .collect();
        for thread in threads {
            match thread.join() {
                Ok(written) => written?,
                Err(_) => bail!("a writing thread panicked"),
            }
        }
        anyhow::Ok(())
    })?;
    if args.child_writes > 0 {
        // The other threads have been joined.
        let child = process::fork(|| {
            if let Some(slot) = pid.slots().first() {
                slot.store(std::process::id(), SeqCst);
            }
            write_often(file, b"c", args.child_writes)?;
            Ok(0)
        });
        child.context("fork a child")?.finish()?;
    }
    write_often(file, &content, args.leader_writes - before)?;
    Ok(0)
}

fn write_often(mut file: &File, content: &[u8], writes: u64) -> anyhow::Result<()> {
    for _ in 0..writes {
        let written = file.write(content).context("append")?;
        ensure!(written == content.len(), "a write took {written} bytes");
    }
    Ok(())
}
