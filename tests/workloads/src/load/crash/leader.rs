//! A process whose first thread ends before the others do.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::load::crash::how::How;
use crate::sys::process;

/// How long the process goes on after its first thread.
const AFTERLIFE: Duration = Duration::from_millis(200);
/// A first thread that has not ended by then never will.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ends the calling thread, which is the process' first, and some time later
/// the process with it.
pub(super) fn exit_first(how: How) -> anyhow::Result<u8> {
    let leader = std::process::id();
    let last_code = how.last_thread_code().unwrap_or(0);
    thread::Builder::new()
        .spawn(move || outlive(leader, how, last_code))
        .context("start a second thread")?;
    process::exit_thread(how.leader_code().unwrap_or(0));
}

fn outlive(leader: u32, how: How, code: u8) {
    if let Err(error) = await_zombie(leader) {
        eprintln!("genome-trace-workload: {error:#}");
        process::exit_now(70);
    }
    thread::sleep(AFTERLIFE);
    match how {
        How::LastThreadExits => process::exit_thread(code),
        _ => process::exit_now(code),
    }
}

/// Returns once the kernel shows the thread as ended. There is no event for a
/// thread's own state: its line in /proc is asked until it says so.
fn await_zombie(thread_id: u32) -> anyhow::Result<()> {
    let file = format!("/proc/self/task/{thread_id}/stat");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let line = fs::read_to_string(&file).with_context(|| format!("read {file}"))?;
        let state = line.rsplit_once(") ").map(|(_, rest)| rest);
        if state.is_some_and(|state| state.starts_with('Z')) {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("the first thread did not end within {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(1));
    }
}
