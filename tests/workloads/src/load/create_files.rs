//! Creating files as fast as processes can.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::cli::CreateFiles;
use crate::load::scratch::Folder;
use crate::sys::process;
use crate::sys::time::SharedTime;

pub(crate) fn run(args: &CreateFiles) -> anyhow::Result<Value> {
    ensure!(
        args.count.is_multiple_of(args.threads),
        "--count {} is no multiple of --threads {}: the threads could not share it evenly",
        args.count,
        args.threads
    );
    let folder = Folder::at(&args.dir, args.keep)?;
    let dir = folder.path();
    let workers = (0..args.procs)
        .map(|worker| {
            let time = SharedTime::new()?;
            let child = process::fork(|| time.measure(|| create_all(dir, args, worker)))?;
            Ok((child, time))
        })
        .collect::<io::Result<Vec<_>>>()
        .context("fork a worker")?;
    let mut told = Vec::new();
    let mut longest_ns = None;
    for (worker, time) in workers {
        let ended = worker.finish()?;
        longest_ns = longest_ns.max(time.nanos());
        told.push(json!({
            "pid": ended.pid,
            "files_created": args.count,
            "write_calls": args.count,
            "written_bytes": args.count * args.bytes as u64,
            "elapsed_ns": time.nanos(),
            "wait": ended.json(),
        }));
    }
    if !args.keep {
        remove(dir, args)?;
    }
    let files = args.count * args.procs;
    Ok(json!({
        "dir": dir,
        "files_created": files,
        "write_calls": files,
        "written_bytes": files * args.bytes as u64,
        "elapsed_ns": longest_ns,
        "workers": told,
    }))
}

/// One worker's part, shared evenly among its threads.
fn create_all(dir: &Path, args: &CreateFiles, worker: u64) -> anyhow::Result<u8> {
    let first = worker * args.count;
    if args.threads == 1 {
        return create_range(dir, first, args.count, args.bytes).map(|()| 0);
    }
    let share = args.count / args.threads;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..args.threads)
            .map(|index| {
                scope.spawn(move || create_range(dir, first + index * share, share, args.bytes))
            })
            .collect();
        for thread in threads {
            match thread.join() {
                Ok(created) => created?,
                Err(_) => bail!("a creating thread panicked"),
            }
        }
        Ok(0)
    })
}

fn create_range(dir: &Path, first: u64, count: u64, bytes: usize) -> anyhow::Result<()> {
    let content = vec![b'.'; bytes];
    for index in first..first + count {
        let path = file(dir, index);
        create_one(&path, &content).with_context(|| format!("create {}", path.display()))?;
    }
    Ok(())
}

/// One open, one write, one close.
fn create_one(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    if file.write(content)? != content.len() {
        return Err(io::ErrorKind::WriteZero.into());
    }
    Ok(())
}

fn remove(dir: &Path, args: &CreateFiles) -> anyhow::Result<()> {
    for index in 0..args.count * args.procs {
        let path = file(dir, index);
        fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
    }
    Ok(())
}

fn file(dir: &Path, index: u64) -> PathBuf {
    dir.join(format!("f-{index}"))
}
