//! Boots one kernel under qemu and follows its console to the end.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::console::Console;
use super::kernels::Kernel;
use crate::cli::Series;
use crate::libtest::Counts;

/// An oops must not pass for a finished test; without mitigations emulation
/// is a good deal faster.
const COMMAND_LINE: &str =
    "console=ttyS0 quiet panic=-1 oops=panic mitigations=off random.trust_cpu=on cgroup_no_v1=all";

/// Leaves out the trials whose outcome is userspace's doing. A kernel hands a
/// parameter that it does not know to its first process, as a variable.
const KERNEL_ONLY: &str = "GENOME_TRACE_TEST_SCOPE=kernel";

/// How machines are run.
pub(crate) struct Machine {
    /// On which kernel all is tried, where that is not each of them.
    pub(crate) all_on: Option<Series>,
    /// qemu.
    pub(crate) qemu: PathBuf,
    /// The file system.
    pub(crate) initrd: PathBuf,
    /// When to give up.
    pub(crate) time_limit: Duration,
    /// Where consoles are written to.
    pub(crate) logs: PathBuf,
    /// Keep the log of a run that went well.
    pub(crate) keep_log: bool,
}

/// How a run ended.
pub(crate) struct End {
    /// What the test binary counted.
    pub(crate) counts: Option<Counts>,
    /// Why the run failed.
    pub(crate) failure: Option<String>,
}

/// Whether a run counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It does, however it ended.
    Ran,
    /// It never came to its command.
    DidNotBoot,
    /// The kernel broke down over its own breakpoint.
    Tripped,
}

/// How long a machine may take until its command runs.
const BOOT_LIMIT: Duration = Duration::from_secs(180);
/// How often a machine is started that does not come to its command: emulated
/// processors sometimes trip over a kernel that changes its own code as it
/// boots. What happens from the command on is tried again only where the kernel
/// itself met such a change half done, and then once.
const BOOTS: u32 = 3;

impl Machine {
    /// Boots `kernel` and waits until it is off.
    pub(crate) fn boot(&self, kernel: &Kernel) -> anyhow::Result<End> {
        for _ in 1..BOOTS {
            let (end, outcome) = self.boot_once(kernel)?;
            let what = match outcome {
                Outcome::Ran => return Ok(end),
                Outcome::DidNotBoot => "did not boot",
                Outcome::Tripped => "the emulator let it trip over a change of its own code",
            };
            let reason = end.failure.unwrap_or_default();
            let reason = reason.lines().next().unwrap_or_default();
            eprintln!("xtask: kernel {}: {what}, try again: {reason}", kernel.series);
            if outcome == Outcome::Tripped {
                break;
            }
        }
        self.boot_once(kernel).map(|(end, _)| end)
    }

    fn boot_once(&self, kernel: &Kernel) -> anyhow::Result<(End, Outcome)> {
        fs::create_dir_all(&self.logs)
            .with_context(|| format!("create {}", self.logs.display()))?;
        let log_path = self.logs.join(format!("{}.log", kernel.series));
        let log =
            File::create(&log_path).with_context(|| format!("create {}", log_path.display()))?;
        let mut child = self.start(kernel)?;
        let stdout = child.stdout.take().context("read the console: qemu has no stdout")?;
        let (console, in_time) = self.follow(stdout, log, &kernel.series.to_string());
        if !in_time {
            // It may have ended by itself just now, which is as good.
            let _ = child.kill();
        }
        let status = child.wait().context("wait for qemu")?;

        let mut failure = if !in_time {
            let limit = if console.has_begun() { self.time_limit } else { BOOT_LIMIT };
            let minutes = limit.as_secs() / 60;
            Some(format!("not done after {minutes} minutes\n{}", console.tail()))
        } else if !status.success() {
            Some(format!("qemu failed: {status}\n{}", console.tail()))
        } else {
            console.failure()
        };
        if let Some(reason) = &mut failure {
            reason.push_str(&format!("\n  whole console: {}", log_path.display()));
        } else if !self.keep_log {
            fs::remove_file(&log_path).with_context(|| format!("delete {}", log_path.display()))?;
        }
        let outcome = match (console.has_begun(), console.has_tripped()) {
            (false, _) => Outcome::DidNotBoot,
            (true, true) => Outcome::Tripped,
            (true, false) => Outcome::Ran,
        };
        Ok((End { counts: console.counts(), failure }, outcome))
    }

    /// Never KVM: nested, it dies on some instructions.
    fn start(&self, kernel: &Kernel) -> anyhow::Result<Child> {
        let mut command_line = COMMAND_LINE.to_owned();
        if self.all_on.is_some_and(|series| series != kernel.series) {
            command_line = format!("{command_line} {KERNEL_ONLY}");
        }
        Command::new(&self.qemu)
            .args(["-accel", "tcg,thread=single", "-cpu", "max", "-m", "2G", "-smp", "2"])
            .args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"])
            .args(["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"])
            .arg("-kernel")
            .arg(&kernel.image)
            .arg("-initrd")
            .arg(&self.initrd)
            .args(["-append", &command_line])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", self.qemu.display()))
    }

    /// Shows the console until it ends (true) or time is up (false).
    fn follow(&self, stdout: ChildStdout, mut log: File, label: &str) -> (Console, bool) {
        let lines = read_lines(stdout);
        let started = Instant::now();
        let mut console = Console::default();
        loop {
            let limit = if console.has_begun() { self.time_limit } else { BOOT_LIMIT };
            let deadline = started + limit;
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    // The log is a convenience: a full disk must not end the run.
                    let _ = writeln!(log, "{line}");
                    if console.line(&line) {
                        show(label, &line);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return (console, true),
                Err(RecvTimeoutError::Timeout) => return (console, false),
            }
        }
    }
}

/// A thread, because a read has no time limit.
fn read_lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            if sender.send(text).is_err() {
                break;
            }
        }
    });
    receiver
}

/// A closed pipe ends the show, not the run.
fn show(label: &str, line: &str) {
    let _ = writeln!(io::stdout().lock(), "[{label}] {line}");
}
