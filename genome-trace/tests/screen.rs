//! The live screen in a pseudo-terminal: whatever ends it, the terminal is as
//! it was before. The program in it is this one, started once more.

use std::{
    env,
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::{AsFd, OwnedFd},
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use genome_trace::screen::{self, Look, Looks, Setting};
use libtest_mimic::{Arguments, Failed, Trial};
use rustix::{
    event::{PollFd, PollFlags, Timespec},
    fs::OFlags,
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Termios, Winsize, tcgetattr, tcsetwinsize},
};

#[path = "../examples/watch/script.rs"]
mod script;

/// In the environment of the program in the terminal: what is to go wrong.
const FATE: &str = "GENOME_TRACE_TEST_FATE";
/// Far longer than anything here takes: a screen that hangs fails.
const PATIENCE: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };
const ENTER: &[u8] = b"\x1b[?1049h";
const LEAVE: &[u8] = b"\x1b[?1049l";
const HIDE: &[u8] = b"\x1b[?25l";
const SHOW: &[u8] = b"\x1b[?25h";

fn main() -> ExitCode {
    if let Ok(fate) = env::var(FATE) {
        return match show(fate) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error:#}");
                ExitCode::FAILURE
            }
        };
    }
    let mut arguments = Arguments::from_args();
    // Whoever sends a signal counts on a terminal that nobody else starves.
    arguments.test_threads = Some(1);
    let trial = |name: &str, test: Test| {
        Trial::test(name, move || test().map_err(|error| Failed::from(format!("{error:?}"))))
    };
    let trials = vec![
        trial("ctrl_c", || ends(|shown| shown.press(b"\x03"), 0)),
        trial("q", || ends(|shown| shown.press(b"q"), 0)),
        trial("sigterm", || ends(|shown| shown.signal(Signal::TERM), 0)),
        trial("sigint", || ends(|shown| shown.signal(Signal::INT), 0)),
        trial("sighup", || ends(|shown| shown.signal(Signal::HUP), 0)),
        trial("sigtstp", stops_and_goes_on),
        trial("panic", a_panic),
        trial("a_terminal_that_takes_nothing", a_terminal_that_takes_nothing),
        trial("keys_and_a_new_size", keys_and_a_new_size),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

struct Scripted {
    step: u32,
    panics: bool,
}

impl Looks for Scripted {
    fn look(&mut self) -> anyhow::Result<Look> {
        assert!(!self.panics || self.step < 2, "as asked for");
        self.step += 1;
        Ok(script::look(self.step))
    }
}

fn show(fate: String) -> anyhow::Result<()> {
    let setting = Setting {
        host: "box".to_owned(),
        version: "0".to_owned(),
        time_zone: jiff::tz::TimeZone::UTC,
        color: true,
    };
    let source = Box::new(Scripted { step: 0, panics: fate == "panics" });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(screen::run(source, setting, Duration::from_millis(100)))
}

/// What must hold.
type Test = fn() -> anyhow::Result<()>;

/// A screen in a terminal of its own.
struct Shown {
    /// The terminal's other side.
    master: File,
    /// Kept open, so that what was written can be read when the child has gone.
    slave: OwnedFd,
    before: Termios,
    child: Child,
    written: Vec<u8>,
}

impl Shown {
    fn start(fate: &str) -> anyhow::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let slave =
            rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY, rustix::fs::Mode::empty())?;
        resize(&slave, 80, 24)?;
        let before = tcgetattr(&slave)?;
        let stdio = || slave.try_clone().map(Stdio::from);
        // A session of its own, so that the terminal is that of the screen.
        let child = Command::new("setsid")
            .arg("--ctty")
            .arg(env::current_exe()?)
            .env(FATE, fate)
            .stdin(stdio()?)
            .stdout(stdio()?)
            .stderr(stdio()?)
            .spawn()
            .context("cannot start setsid")?;
        Ok(Self { master: File::from(master), slave, before, child, written: Vec::new() })
    }

    /// Reads until this was written.
    fn wait_for(&mut self, wanted: &[u8]) -> io::Result<()> {
        let mut bytes = [0; 4096];
        while !has(&self.written, wanted) {
            let mut ready = [PollFd::new(&self.master, PollFlags::IN)];
            if rustix::event::poll(&mut ready, Some(&PATIENCE))? == 0 {
                let told = String::from_utf8_lossy(&self.written);
                return Err(io::Error::other(format!("not written: {wanted:?}; but: {told}")));
            }
            let count = self.master.read(&mut bytes)?;
            self.written.extend(bytes.iter().take(count));
        }
        Ok(())
    }

    fn press(&mut self, keys: &[u8]) -> anyhow::Result<()> {
        Ok(self.master.write_all(keys)?)
    }

    /// Writes until nothing more fits in, and nobody reads.
    fn fill(&self) -> anyhow::Result<()> {
        let name = ptsname(&self.master, Vec::new())?;
        let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK;
        let terminal = rustix::fs::open(&*name, flags, rustix::fs::Mode::empty())?;
        loop {
            match rustix::io::write(&terminal, &[b'.'; 512]) {
                Ok(_) => {}
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn signal(&mut self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_child(&self.child);
        Ok(kill_process(pid, signal)?)
    }

    /// The end: what was written until then, with the terminal's modes as they
    /// were.
    fn end(mut self) -> anyhow::Result<(ExitStatus, Vec<u8>)> {
        self.wait_for(LEAVE)?;
        // The rest fits into the terminal's buffer.
        let status = self.child.wait()?;
        let after = tcgetattr(&self.slave)?;
        ensure!(modes(&self.before) == modes(&after), "{:?}\n{after:?}", self.before);
        // Whoever reads to the end of a terminal that is open waits: a mark ends it.
        rustix::io::write(&self.slave, b"<the end>")?;
        self.wait_for(b"<the end>")?;
        Ok((status, self.written))
    }
}

fn resize(terminal: impl AsFd, columns: u16, rows: u16) -> rustix::io::Result<()> {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size)
}

fn modes(termios: &Termios) -> String {
    format!("{termios:?}")
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn ends(end: impl FnOnce(&mut Shown) -> anyhow::Result<()>, code: i32) -> anyhow::Result<()> {
    let mut shown = Shown::start("")?;
    shown.wait_for(b"CodeExpert")?;
    ensure!(has(&shown.written, ENTER) && has(&shown.written, HIDE));
    let raw = tcgetattr(&shown.slave)?;
    ensure!(modes(&raw) != modes(&shown.before), "the terminal is not raw");
    end(&mut shown)?;
    let (status, written) = shown.end()?;
    ensure!(status.code() == Some(code), "{status}");
    ensure!(has(&written, SHOW), "the cursor is not shown");
    Ok(())
}

/// Nobody could continue the leader of a session, so the kernel goes on at once;
/// the terminal is given back all the same, and drawn anew.
fn stops_and_goes_on() -> anyhow::Result<()> {
    let mut shown = Shown::start("")?;
    shown.wait_for(b"CodeExpert")?;
    shown.written.clear();
    shown.signal(Signal::TSTP)?;
    for wanted in [LEAVE, ENTER, b"CodeExpert"] {
        shown.wait_for(wanted)?;
    }
    shown.written.clear();
    shown.press(b"q")?;
    let (status, _) = shown.end()?;
    ensure!(status.code() == Some(0), "{status}");
    Ok(())
}

/// Its message is on the terminal as it was before.
fn a_panic() -> anyhow::Result<()> {
    let shown = Shown::start("panics")?;
    let (status, written) = shown.end()?;
    ensure!(status.code() == Some(1), "{status}");
    let after = written.windows(LEAVE.len()).position(|window| window == LEAVE).unwrap_or(0);
    let told = String::from_utf8_lossy(written.get(after..).unwrap_or_default()).into_owned();
    ensure!(told.contains("as asked for"), "{told}");
    ensure!(told.contains("cannot look any more"), "{told}");
    ensure!(!told.contains("CodeExpert"), "{told}");
    Ok(())
}

/// Whoever stopped the terminal's other end cannot end the screen by a key; a
/// signal ends it, and what the other end reads later is clean.
fn a_terminal_that_takes_nothing() -> anyhow::Result<()> {
    let mut shown = Shown::start("")?;
    shown.wait_for(b"CodeExpert")?;
    shown.fill()?;
    shown.signal(Signal::TERM)?;
    let ended = pidfd_open(Pid::from_child(&shown.child), PidfdFlags::empty())?;
    let mut ready = [PollFd::new(&ended, PollFlags::IN)];
    if rustix::event::poll(&mut ready, Some(&PATIENCE))? == 0 {
        shown.child.kill()?;
        bail!("it waits for the terminal");
    }
    shown.written.clear();
    let (status, _) = shown.end()?;
    ensure!(status.code() == Some(0), "{status}");
    Ok(())
}

fn keys_and_a_new_size() -> anyhow::Result<()> {
    let mut shown = Shown::start("")?;
    shown.wait_for(b"CodeExpert")?;
    // Wider: columns that were left out. A word is written in one piece, the
    // spaces around it need not be.
    resize(&shown.slave, 200, 50)?;
    shown.wait_for(b"LOOKS")?;
    shown.press(b"?")?;
    shown.wait_for(b"Ctrl-Z")?;
    shown.press(b"qq")?;
    let (status, _) = shown.end()?;
    ensure!(status.code() == Some(0), "{status}");
    Ok(())
}
