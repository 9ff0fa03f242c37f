//! A process that takes so much of everything and then rests: what it has is
//! known, and stays, until its stdin ends.

use std::fs::{self, File};
use std::hint::{black_box, spin_loop};
use std::io::{self, Write as _};
use std::sync::{Arc, Barrier};
use std::thread;

use anyhow::{Context as _, ensure};
use rustix::thread::disable_transparent_huge_pages;
use serde_json::{Value, json};

use crate::cli::Occupy;
use crate::load::scratch::Folder;
use crate::sys::time::process_cpu_ns;
use crate::truth;

pub(crate) fn run(args: &Occupy) -> anyhow::Result<Value> {
    // Else khugepaged collapses its small pages into a huge one and fills what
    // was not there, so that a process at rest grows (mm/khugepaged.c).
    disable_transparent_huge_pages(true).context("do without huge pages")?;
    // Each page is written, so each is resident.
    let memory = black_box(vec![0xa5_u8; args.rss_bytes]);
    start_threads(args.threads)?;
    let open = || File::open("/dev/null").context("open /dev/null");
    let open_files = (0..args.open_files).map(|_| open()).collect::<anyhow::Result<Vec<_>>>()?;
    let folder = args.dir.as_deref().map(|dir| Folder::at(dir, false)).transpose()?;
    if let Some(folder) = &folder {
        write_files(folder, args)?;
    }
    burn(args.cpu_ms);
    truth::print(&json!({ "rests": facts(args)? }))?;
    io::copy(&mut io::stdin().lock(), &mut io::sink()).context("wait for the end of stdin")?;
    drop((memory, open_files));
    facts(args)
}

/// Threads that have begun, and do nothing until the process ends.
fn start_threads(count: u32) -> anyhow::Result<()> {
    let have_begun = Arc::new(Barrier::new(count as usize + 1));
    for _ in 0..count {
        let have_begun = Arc::clone(&have_begun);
        let idle = move || {
            have_begun.wait();
            loop {
                thread::park();
            }
        };
        thread::Builder::new().spawn(idle).context("start a thread")?;
    }
    have_begun.wait();
    Ok(())
}

/// So many files, and so many writes of one byte to the last of them. None is
/// open afterwards.
fn write_files(folder: &Folder, args: &Occupy) -> anyhow::Result<()> {
    let mut last = None;
    for index in 0..args.files {
        let path = folder.path().join(format!("o-{index}"));
        let file = File::create_new(&path);
        last = Some(file.with_context(|| format!("create {}", path.display()))?);
    }
    if args.writes > 0 {
        let mut file = last.context("--writes needs a file to write to: give --files")?;
        for _ in 0..args.writes {
            let written = file.write(b".").context("write to the last file")?;
            ensure!(written == 1, "a write took {written} bytes");
        }
    }
    Ok(())
}

/// Works until it has used that much CPU time.
fn burn(cpu_ms: u64) {
    let until_ns = process_cpu_ns() + cpu_ms * 1_000_000;
    while cpu_ms > 0 && process_cpu_ns() < until_ns {
        spin_loop();
    }
}

/// What was asked for and done, and what the kernel says that this process has.
fn facts(args: &Occupy) -> anyhow::Result<Value> {
    // Less the one that the list is read by.
    let listed = fs::read_dir("/proc/self/fd").context("list /proc/self/fd")?.count();
    let status = fs::read_to_string("/proc/self/status").context("read /proc/self/status")?;
    // Kernels without task I/O accounting have none.
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    Ok(json!({
        "files_created": args.files,
        "write_calls": args.writes,
        "written_bytes": args.writes,
        "threads": figure(&status, "Threads:"),
        "open_files": listed.checked_sub(1),
        "rss_bytes": figure(&status, "VmRSS:").map(|kib| kib * 1024),
        "cpu_ns": process_cpu_ns(),
        "all_write_calls": figure(&io, "syscw:"),
    }))
}

fn figure(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(dir: Option<std::path::PathBuf>) -> Occupy {
        Occupy { rss_bytes: 0, threads: 0, open_files: 0, dir, files: 2, writes: 3, cpu_ms: 0 }
    }

    #[test]
    fn files_are_made_and_the_last_is_written() {
        let temporary = Folder::temporary("occupy").unwrap();
        write_files(&temporary, &args(None)).unwrap();
        let length = |name: &str| fs::metadata(temporary.path().join(name)).unwrap().len();
        assert_eq!((length("o-0"), length("o-1")), (0, 3));
        let more = Occupy { files: 0, ..args(None) };
        let error = write_files(&temporary, &more).unwrap_err().to_string();
        assert!(error.contains("--files"), "{error}");
    }

    #[test]
    fn burning_takes_that_long() {
        let before_ns = process_cpu_ns();
        burn(5);
        assert!(process_cpu_ns() >= before_ns + 5_000_000);
    }
}
