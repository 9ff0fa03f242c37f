//! A bounded mixture of everything that does no harm, for a long run.

use std::ffi::CString;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::cli::Mixed;
use crate::load::scratch::Folder;
use crate::sys::gate::Gate;
use crate::sys::process;
use crate::sys::spawn::{Environment, spawn};

const FORKS: u64 = 4;
const EXECS: u64 = 2;
const FILES: u64 = 10;
const WRITES_TO_EACH: u64 = 4;
const BYTES: usize = 512;

pub(crate) fn run(args: &Mixed) -> anyhow::Result<Value> {
    let folder = Folder::temporary("mixed")?;
    let program = CString::new(args.program.as_os_str().as_bytes())?;
    let environment = Environment::inherited().context("read the environment")?;
    let mut pace = Pace::new(args);
    while pace.another_round() {
        fork_and_exit()?;
        start(&program, &environment)?;
        write_files(folder.path())?;
        terminate_one()?;
    }
    let rounds = pace.rounds;
    Ok(json!({
        "dir": folder.path(),
        "rounds": rounds,
        "forks": rounds * (FORKS + EXECS + 1),
        "execs": rounds * EXECS,
        "exits": rounds * (FORKS + EXECS + 1),
        "signals_sent": rounds,
        "files_created": rounds * FILES,
        "write_calls": rounds * FILES * WRITES_TO_EACH,
        "written_bytes": rounds * FILES * WRITES_TO_EACH * BYTES as u64,
        "unlink_calls": rounds * FILES,
    }))
}

/// How many rounds, and how fast.
struct Pace {
    rounds: u64,
    most_rounds: Option<u64>,
    started: Instant,
    length: Option<Duration>,
    rate: u64,
}

impl Pace {
    fn new(args: &Mixed) -> Self {
        Self {
            rounds: 0,
            most_rounds: args.rounds,
            started: Instant::now(),
            length: args.seconds.map(Duration::from_secs),
            rate: args.rate,
        }
    }

    /// Waits until the next round is due; false when there is none.
    fn another_round(&mut self) -> bool {
        if let Some(length) = self.length {
            let due = Duration::from_nanos(self.rounds * 1_000_000_000 / self.rate);
            if due >= length {
                return false;
            }
            thread::sleep(due.saturating_sub(self.started.elapsed()));
            if self.started.elapsed() >= length {
                return false;
            }
        }
        if self.most_rounds == Some(self.rounds) {
            return false;
        }
        self.rounds += 1;
        true
    }
}

fn fork_and_exit() -> anyhow::Result<()> {
    for code in 0..FORKS {
        let code = u8::try_from(code)?;
        let ended = process::fork(|| Ok(code)).context("fork")?.wait()?;
        ensure!(
            ended.code() == Some(code.into()),
            "a child that should exit with {code} gave {}",
            ended.json()
        );
    }
    Ok(())
}

fn start(program: &CString, environment: &Environment) -> anyhow::Result<()> {
    for index in 0..EXECS {
        let argv = [program.clone(), CString::new(format!("mixed-{index}"))?];
        let pid = spawn(&argv, environment).context("start a program")?;
        process::wait_for(pid).context("wait for a program")?;
    }
    Ok(())
}

fn write_files(dir: &Path) -> anyhow::Result<()> {
    let content = [b'.'; BYTES];
    for index in 0..FILES {
        let path = dir.join(format!("m-{index}"));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .with_context(|| format!("create {}", path.display()))?;
        for _ in 0..WRITES_TO_EACH {
            let written = file.write(&content).context("write")?;
            ensure!(written == BYTES, "a write took {written} bytes");
        }
        fs::remove_file(&path).with_context(|| format!("unlink {}", path.display()))?;
    }
    Ok(())
}

fn terminate_one() -> anyhow::Result<()> {
    let mut ready = Gate::new().context("make a pipe")?;
    let victim = process::fork(|| {
        ready.open();
        Ok(process::pause_for_ever()?)
    })
    .context("fork a victim")?;
    ready.wait().context("wait for the victim")?;
    process::kill(victim.pid(), libc::SIGTERM).context("send SIGTERM")?;
    let ended = victim.wait().context("wait for the victim's end")?;
    ensure!(ended.signal() == Some(libc::SIGTERM), "SIGTERM gave {}", ended.json());
    Ok(())
}
